using System.Runtime.CompilerServices;
using Plimsoll.Numerics.Linear.Simd;

namespace Plimsoll.Numerics.Linear.Integers;

/// <summary>Weights whose codes are multiplied with inputs quantized to eight bits.</summary>
internal sealed unsafe class IntegerPanelMatrix : PanelMatrix
{
    /// <summary>Columns of inputs that meet an unpacked tile: as many as fit half of a second-level cache of 1 MiB when rows have 4096 columns.</summary>
    private const int InputsTogether = 128;

    /// <summary>From this many columns of inputs on, quantizing them is shared among the threads.</summary>
    private const int SharedQuantizing = 8;

    [ThreadStatic]
    private static NativeBuffer? scratch;

    private readonly IntegerPanels panels;
    private readonly IntegerKernel kernel;

    public IntegerPanelMatrix(IntegerPanels panels, int rows, int columns, RowReader read, SimdLevel level)
        : base(rows, columns, panels.ChunkBytes(Panel.ChunkColumns), panels.ChunkBytes(columns % Panel.ChunkColumns))
    {
        this.panels = panels;
        kernel = panels.Kernel(level);
        PanelLoader.Load(rows, panels.Format.BytesFor(columns), panels.Format.BytesFor(Panel.ChunkColumns), Chunks, read,
            (panel, chunk, source, stride) => panels.Pack(source, stride, ColumnsOf(chunk), Chunk(panel, chunk)));
    }

    public override void Multiply(ReadOnlySpan<float> inputs, int count, Span<float> outputs, ComputePool pool)
    {
        Check(inputs, count, outputs);
        fixed (float* pinnedInputs = inputs)
        fixed (float* pinnedOutputs = outputs)
        {
            var x = pinnedInputs;
            var y = pinnedOutputs;
            var blocks = Scratch(checked((long)Math.Min(count, InputsTogether) * Chunks * InputBlocks.BlockBytes(kernel.TakesWords)));
            for (var first = 0; first < count; first += InputsTogether)
            {
                var together = Math.Min(InputsTogether, count - first);
                var from = first;
                pool.For(together, grain: SharedQuantizing, (start, end) =>
                    InputBlocks.Quantize(x + (long)from * Columns, Columns, start, end, together, kernel.TakesWords, kernel.SumFactor, blocks));
                pool.For(Panel.Count(Rows), grain: 4, (start, end) => Multiply(start, end, blocks, together, y + (long)from * Rows));
            }
        }
    }

    [SkipLocalsInit]
    private void Multiply(int firstPanel, int endPanel, byte* inputs, int count, float* outputs)
    {
        var codes = stackalloc byte[CodeTile.CodeMemory + 64];
        var scales = stackalloc float[CodeTile.ScaleCount + 16];
        var minimums = stackalloc float[CodeTile.ScaleCount + 16];
        var sums = stackalloc float[InputsTogether * Panel.Rows + 16];
        sums = (float*)Align(sums);
        var blockBytes = InputBlocks.BlockBytes(kernel.TakesWords);
        var tile = new CodeTile { Codes = Align(codes), Scales = (float*)Align(scales), Minimums = (float*)Align(minimums) };
        for (var panel = firstPanel; panel < endPanel; panel++)
        {
            new Span<float>(sums, count * Panel.Rows).Clear();
            for (var chunk = 0; chunk < Chunks; chunk++)
            {
                var source = Chunk(panel, chunk);
                panels.Unpack(source, ColumnsOf(chunk), ref tile);
                kernel.Multiply(tile, ColumnsOf(chunk), inputs + (long)chunk * count * blockBytes, count, sums);
            }
            Store(sums, panel, count, outputs);
        }
    }

    [SkipLocalsInit]
    public override void ReadRow(int row, Span<float> values)
    {
        CheckRow(row, values);
        var codes = stackalloc byte[CodeTile.CodeMemory];
        var scales = stackalloc float[CodeTile.ScaleCount];
        var minimums = stackalloc float[CodeTile.ScaleCount];
        for (var chunk = 0; chunk < Chunks; chunk++)
        {
            var tile = new CodeTile { Codes = codes, Scales = scales, Minimums = minimums };
            panels.Unpack(Chunk(row / Panel.Rows, chunk), ColumnsOf(chunk), ref tile);
            for (var column = 0; column < ColumnsOf(chunk); column++)
                values[chunk * Panel.ChunkColumns + column] = panels.Read(tile, row % Panel.Rows, column);
        }
    }

    /// <summary>The 16 weights of a column in one panel.</summary>
    [SkipLocalsInit]
    public void ReadColumn(int panel, int column, float* values)
    {
        var codes = stackalloc byte[CodeTile.CodeMemory];
        var scales = stackalloc float[CodeTile.ScaleCount];
        var minimums = stackalloc float[CodeTile.ScaleCount];
        var tile = new CodeTile { Codes = codes, Scales = scales, Minimums = minimums };
        var chunk = column / Panel.ChunkColumns;
        panels.Unpack(Chunk(panel, chunk), ColumnsOf(chunk), ref tile);
        for (var row = 0; row < Panel.Rows; row++)
            values[row] = panels.Read(tile, row, column % Panel.ChunkColumns);
    }

    private static byte* Align(void* address) => (byte*)(((nuint)address + 63) & ~(nuint)63);

    /// <summary>Memory of the calling thread that grows with the largest product and stays.</summary>
    private static byte* Scratch(long bytes)
    {
        if (scratch is null || scratch.Bytes < bytes)
        {
            scratch?.Dispose();
            scratch = new NativeBuffer(bytes);
        }
        return scratch.Address;
    }
}

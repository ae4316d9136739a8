using System.Runtime.CompilerServices;
using Plimsoll.Numerics.Linear.MachineCode;
using Plimsoll.Numerics.Linear.Simd;

namespace Plimsoll.Numerics.Linear.Floats;

/// <summary>Weights that are unpacked to floats, a tile of 16 × 256 at a time, and multiplied with the inputs as they are.</summary>
internal sealed unsafe class FloatPanelMatrix : PanelMatrix
{
    /// <summary>Columns of inputs that meet an unpacked tile: their sums fill 8 KiB.</summary>
    private const int InputsTogether = 128;

    /// <summary>From this many columns of inputs on a tile is unpacked rather than read again.</summary>
    private const int Unpacking = 4;

    private readonly FloatPanels panels;
    private readonly FloatKernel kernel;
    private readonly void* direct;

    public FloatPanelMatrix(FloatPanels panels, int rows, int columns, RowReader read, SimdLevel level)
        : base(rows, columns, panels.ChunkBytes(Panel.ChunkColumns), panels.ChunkBytes(columns % Panel.ChunkColumns))
    {
        this.panels = panels;
        kernel = FloatKernel.For(level);
        direct = level == SimdLevel.Avx512Vnni ? panels.DirectProduct : null;
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
            for (var first = 0; first < count; first += InputsTogether)
            {
                var together = Math.Min(InputsTogether, count - first);
                var from = first;
                pool.For(Panel.Count(Rows), grain: 4, (start, end) => Multiply(start, end, x + (long)from * Columns, together, y + (long)from * Rows));
            }
        }
    }

    [SkipLocalsInit]
    private void Multiply(int firstPanel, int endPanel, float* inputs, int count, float* outputs)
    {
        var tile = stackalloc float[Panel.ChunkColumns * Panel.Rows];
        var sums = stackalloc float[InputsTogether * Panel.Rows];
        for (var panel = firstPanel; panel < endPanel; panel++)
        {
            new Span<float>(sums, count * Panel.Rows).Clear();
            for (var chunk = 0; chunk < Chunks; chunk++)
            {
                var source = Chunk(panel, chunk);
                if (direct is not null && count < Unpacking && ColumnsOf(chunk) % FloatProgram.Together == 0)
                {
                    for (var column = 0; column < count; column++)
                        FloatProgram.Multiply(direct, source, inputs + (long)column * Columns + chunk * Panel.ChunkColumns, sums + column * Panel.Rows, ColumnsOf(chunk));
                    continue;
                }
                panels.Unpack(source, ColumnsOf(chunk), tile);
                kernel.Multiply(tile, ColumnsOf(chunk), inputs + chunk * Panel.ChunkColumns, Columns, count, sums);
            }
            Store(sums, panel, count, outputs);
        }
    }

    [SkipLocalsInit]
    public override void ReadRow(int row, Span<float> values)
    {
        CheckRow(row, values);
        var tile = stackalloc float[Panel.ChunkColumns * Panel.Rows];
        for (var chunk = 0; chunk < Chunks; chunk++)
        {
            panels.Unpack(Chunk(row / Panel.Rows, chunk), ColumnsOf(chunk), tile);
            for (var k = 0; k < ColumnsOf(chunk); k++)
                values[chunk * Panel.ChunkColumns + k] = tile[k * Panel.Rows + row % Panel.Rows];
        }
    }
}

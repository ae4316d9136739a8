using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Plimsoll.Numerics;
using Plimsoll.Numerics.Packing;
using Plimsoll.Quantization.Output;

namespace Plimsoll.Quantization.HuggingFace.Layers.Integers;

/// <summary>AWQ, <c>gemm</c>: qweight (in, out / 8) and qzeros (groups, out / 8) of <see cref="AwqWord"/>s, scales (groups, out) F16.</summary>
internal sealed class AwqPacking(string module, long outputs, long inputs, int groupLength) : IntegerPacking(outputs, inputs, 4, groupLength, NumberFormats.Fp16)
{
    public override (int Lowest, int Highest) ZeroPoints => (0, 15);

    public override ImmutableArray<OutputTensor> Outputs =>
    [
        OutputTensor.Create(module + ".qweight", NumberFormats.Int32, Columns, Rows / AwqWord.Columns),
        OutputTensor.Create(module + ".qzeros", NumberFormats.Int32, Groups, Rows / AwqWord.Columns),
        OutputTensor.Create(module + ".scales", NumberFormats.Fp16, Groups, Rows),
    ];

    public override int RowAlignment => AwqWord.Columns;

    public override void Write(long firstRow, IntegerRows rows, OutputBuffers outputs)
    {
        Span<byte> eight = stackalloc byte[AwqWord.Columns];
        for (var column = 0; column < Columns; column++)
            Pack(rows.Codes[column..], Columns, eight, WordsOf(outputs, 0, column, firstRow, rows.Count));
        for (var group = 0; group < Groups; group++)
            Pack(rows.Zeros[group..], Groups, eight, WordsOf(outputs, 1, group, firstRow, rows.Count));
        WriteScaleColumns(2, firstRow, rows, outputs);
    }

    public override void Read(long firstRow, IntegerRows rows, OutputBuffers outputs)
    {
        Span<byte> eight = stackalloc byte[AwqWord.Columns];
        for (var column = 0; column < Columns; column++)
            Unpack(WordsOf(outputs, 0, column, firstRow, rows.Count), eight, rows.Codes[column..], Columns);
        for (var group = 0; group < Groups; group++)
            Unpack(WordsOf(outputs, 1, group, firstRow, rows.Count), eight, rows.Zeros[group..], Groups);
        ReadScaleColumns(2, firstRow, rows, outputs);
    }

    /// <param name="stride">From the code of one output to that of the next.</param>
    private static void Pack(ReadOnlySpan<byte> codes, int stride, Span<byte> eight, Span<uint> words)
    {
        for (var word = 0; word < words.Length; word++)
        {
            for (var at = 0; at < eight.Length; at++)
                eight[at] = codes[(word * AwqWord.Columns + at) * stride];
            words[word] = AwqWord.Pack(eight);
        }
    }

    private static void Unpack(ReadOnlySpan<uint> words, Span<byte> eight, Span<byte> codes, int stride)
    {
        for (var word = 0; word < words.Length; word++)
        {
            AwqWord.Unpack(words[word], eight);
            for (var at = 0; at < eight.Length; at++)
                codes[(word * AwqWord.Columns + at) * stride] = eight[at];
        }
    }

    private Span<uint> WordsOf(OutputBuffers outputs, int output, int line, long firstRow, int count) => MemoryMarshal.Cast<byte, uint>(
        outputs.Range(output, (line * (long)(Rows / AwqWord.Columns) + firstRow / AwqWord.Columns) * sizeof(uint), count / AwqWord.Columns * sizeof(uint)));
}

using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Plimsoll.Numerics;
using Plimsoll.Numerics.Packing;
using Plimsoll.Quantization.Output;

namespace Plimsoll.Quantization.HuggingFace.Layers.Integers;

/// <summary>GPTQ: qweight (in · bits / 32, out) packed along the inputs, qzeros (groups, out · bits / 32) along the outputs, scales (groups, out) F16, g_idx (in).</summary>
/// <remarks>Version 1 stores zero points less one. Source: AutoGPTQ and GPTQModel packers.</remarks>
internal sealed class GptqPacking(string module, long outputs, long inputs, int bits, int groupLength, bool isVersion2, bool isSymmetric)
    : IntegerPacking(outputs, inputs, bits, groupLength, NumberFormats.Fp16)
{
    private readonly int wordsPerRow = (int)BitStream.WordsFor(inputs, bits);
    private readonly int zeroShift = isVersion2 ? 0 : 1;

    public override (int Lowest, int Highest) ZeroPoints => isSymmetric ? (1 << (Bits - 1), 1 << (Bits - 1)) : (zeroShift, (1 << Bits) - 1);

    public override ImmutableArray<OutputTensor> Outputs =>
    [
        OutputTensor.Create(module + ".qweight", NumberFormats.Int32, wordsPerRow, Rows),
        OutputTensor.Create(module + ".qzeros", NumberFormats.Int32, Groups, BitStream.WordsFor(Rows, Bits)),
        OutputTensor.Create(module + ".scales", NumberFormats.Fp16, Groups, Rows),
        OutputTensor.Create(module + ".g_idx", NumberFormats.Int32, Columns),
    ];

    /// <summary>The fewest outputs whose zero points fill whole words.</summary>
    public override int RowAlignment => 32 / (Bits & -Bits);

    public override void Write(long firstRow, IntegerRows rows, OutputBuffers outputs)
    {
        var packed = new uint[rows.Count * wordsPerRow];
        for (var row = 0; row < rows.Count; row++)
            BitStream.Pack(rows.Row(row), Bits, packed.AsSpan(row * wordsPerRow, wordsPerRow));
        for (var word = 0; word < wordsPerRow; word++)
        {
            var line = WordsOf(outputs, word, firstRow, rows.Count);
            for (var row = 0; row < line.Length; row++)
                line[row] = packed[row * wordsPerRow + word];
        }
        var zeros = new byte[rows.Count];
        for (var group = 0; group < Groups; group++)
        {
            for (var row = 0; row < zeros.Length; row++)
                zeros[row] = (byte)(rows.Zeros[row * Groups + group] - zeroShift);
            BitStream.Pack(zeros, Bits, ZerosOf(outputs, group, firstRow, rows.Count));
        }
        WriteScaleColumns(2, firstRow, rows, outputs);
    }

    public override void Read(long firstRow, IntegerRows rows, OutputBuffers outputs)
    {
        var packed = new uint[rows.Count * wordsPerRow];
        for (var word = 0; word < wordsPerRow; word++)
        {
            var line = WordsOf(outputs, word, firstRow, rows.Count);
            for (var row = 0; row < line.Length; row++)
                packed[row * wordsPerRow + word] = line[row];
        }
        for (var row = 0; row < rows.Count; row++)
            BitStream.Unpack(packed.AsSpan(row * wordsPerRow, wordsPerRow), Bits, rows.Row(row));
        var zeros = new byte[rows.Count];
        for (var group = 0; group < Groups; group++)
        {
            BitStream.Unpack(ZerosOf(outputs, group, firstRow, rows.Count), Bits, zeros);
            for (var row = 0; row < zeros.Length; row++)
                rows.Zeros[row * Groups + group] = (byte)(zeros[row] + zeroShift);
        }
        ReadScaleColumns(2, firstRow, rows, outputs);
    }

    public override void Complete(OutputBuffers outputs)
    {
        var index = MemoryMarshal.Cast<byte, int>(outputs.Range(3, 0, Columns * sizeof(int)));
        for (var column = 0; column < index.Length; column++)
            index[column] = column / GroupLength;
    }

    private Span<uint> WordsOf(OutputBuffers outputs, int word, long firstRow, int count) =>
        MemoryMarshal.Cast<byte, uint>(outputs.Range(0, (word * (long)Rows + firstRow) * sizeof(uint), count * sizeof(uint)));

    private Span<uint> ZerosOf(OutputBuffers outputs, int group, long firstRow, int count) => MemoryMarshal.Cast<byte, uint>(outputs.Range(
        1, (group * BitStream.WordsFor(Rows, Bits) + firstRow * Bits / 32) * sizeof(uint), (int)BitStream.WordsFor(count, Bits) * sizeof(uint)));
}

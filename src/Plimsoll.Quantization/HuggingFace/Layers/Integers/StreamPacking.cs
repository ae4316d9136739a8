using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Plimsoll.Numerics;
using Plimsoll.Numerics.Codecs;
using Plimsoll.Numerics.Packing;
using Plimsoll.Quantization.Output;

namespace Plimsoll.Quantization.HuggingFace.Layers.Integers;

/// <summary>
/// compressed-tensors <c>pack-quantized</c>: weight_packed (out, ⌈in · bits / 32⌉) a bit stream per row, weight_scale (out, groups) in the model's type,
/// weight_shape (2), and with zero points weight_zero_point (⌈out · bits / 32⌉, groups), packed along the outputs.
/// </summary>
/// <remarks>Source: compressed-tensors, pack_quantized compressor. Signed codes are stored plus 2^(bits−1), which makes them the unsigned ones used here.</remarks>
internal sealed class StreamPacking(string module, long outputs, long inputs, int bits, int groupLength, bool isSymmetric, NumberFormat scaleFormat)
    : IntegerPacking(outputs, inputs, bits, groupLength, scaleFormat)
{
    private readonly int wordsPerRow = (int)BitStream.WordsFor(inputs, bits);

    public override (int Lowest, int Highest) ZeroPoints => isSymmetric ? (1 << (Bits - 1), 1 << (Bits - 1)) : (0, (1 << Bits) - 1);

    public override ImmutableArray<OutputTensor> Outputs
    {
        get
        {
            ImmutableArray<OutputTensor> symmetric =
            [
                OutputTensor.Create(module + ".weight_packed", NumberFormats.Int32, Rows, wordsPerRow),
                OutputTensor.Create(module + ".weight_scale", ScaleFormat, Rows, Groups),
                OutputTensor.Create(module + ".weight_shape", NumberFormats.Int64, 2),
            ];
            return isSymmetric ? symmetric : symmetric.Add(OutputTensor.Create(module + ".weight_zero_point", NumberFormats.Int32, BitStream.WordsFor(Rows, Bits), Groups));
        }
    }

    public override int RowAlignment => isSymmetric ? 1 : 32 / (Bits & -Bits);

    public override void Write(long firstRow, IntegerRows rows, OutputBuffers outputs)
    {
        var packed = WordsOf(outputs, firstRow, rows.Count);
        for (var row = 0; row < rows.Count; row++)
            BitStream.Pack(rows.Row(row), Bits, packed.Slice(row * wordsPerRow, wordsPerRow));
        ElementCodec.Encode(ScaleFormat, rows.Scales, ScalesOf(outputs, firstRow, rows.Count), FloatOverflow.Saturate);
        if (isSymmetric)
            return;
        var (zeros, stream) = (new byte[rows.Count], new uint[BitStream.WordsFor(rows.Count, Bits)]);
        var lines = ZerosOf(outputs, firstRow, rows.Count);
        for (var group = 0; group < Groups; group++)
        {
            for (var row = 0; row < zeros.Length; row++)
                zeros[row] = rows.Zeros[row * Groups + group];
            BitStream.Pack(zeros, Bits, stream);
            for (var word = 0; word < stream.Length; word++)
                lines[word * Groups + group] = stream[word];
        }
    }

    public override void Read(long firstRow, IntegerRows rows, OutputBuffers outputs)
    {
        var packed = WordsOf(outputs, firstRow, rows.Count);
        for (var row = 0; row < rows.Count; row++)
            BitStream.Unpack(packed.Slice(row * wordsPerRow, wordsPerRow), Bits, rows.Row(row));
        ElementCodec.Decode(ScaleFormat, ScalesOf(outputs, firstRow, rows.Count), rows.Scales);
        if (isSymmetric)
        {
            rows.Zeros.Fill((byte)(1 << (Bits - 1)));
            return;
        }
        var (zeros, stream) = (new byte[rows.Count], new uint[BitStream.WordsFor(rows.Count, Bits)]);
        var lines = ZerosOf(outputs, firstRow, rows.Count);
        for (var group = 0; group < Groups; group++)
        {
            for (var word = 0; word < stream.Length; word++)
                stream[word] = lines[word * Groups + group];
            BitStream.Unpack(stream, Bits, zeros);
            for (var row = 0; row < zeros.Length; row++)
                rows.Zeros[row * Groups + group] = zeros[row];
        }
    }

    public override void Complete(OutputBuffers outputs)
    {
        var shape = outputs.Range(2, 0, 2 * sizeof(long));
        BinaryPrimitives.WriteInt64LittleEndian(shape, Rows);
        BinaryPrimitives.WriteInt64LittleEndian(shape[sizeof(long)..], Columns);
    }

    private Span<uint> WordsOf(OutputBuffers outputs, long firstRow, int count) =>
        MemoryMarshal.Cast<byte, uint>(outputs.Range(0, firstRow * wordsPerRow * sizeof(uint), count * wordsPerRow * sizeof(uint)));

    private Span<byte> ScalesOf(OutputBuffers outputs, long firstRow, int count) =>
        outputs.Range(1, firstRow * Groups * ScaleFormat.BlockBytes, count * Groups * ScaleFormat.BlockBytes);

    private Span<uint> ZerosOf(OutputBuffers outputs, long firstRow, int count) => MemoryMarshal.Cast<byte, uint>(
        outputs.Range(3, firstRow * Bits / 32 * Groups * sizeof(uint), (int)BitStream.WordsFor(count, Bits) * Groups * sizeof(uint)));
}

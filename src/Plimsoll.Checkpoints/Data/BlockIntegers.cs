using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Plimsoll.Checkpoints.Layouts;
using Plimsoll.Numerics;
using Plimsoll.Numerics.Codecs;

namespace Plimsoll.Checkpoints.Data;

/// <summary>ggml blocks that are integers times a scale: Q4_0, x = (q − 8) · d, and Q8_0, x = q · d.</summary>
/// <remarks>Block: FP16 d, then 16 bytes of which byte j holds element j in its low nibble and j + 16 in its high one, or 32 signed bytes. Source: ggml-common.h.</remarks>
internal sealed class BlockIntegers : IntegerWeight
{
    private const int BlockLength = 32;

    private readonly BlockWeight decoder;
    private readonly TensorHeader tensor;
    private readonly TensorReader reader;

    public BlockIntegers(ParameterStorage storage, TensorHeader tensor, BlockWeight decoder, TensorReader reader)
        : base(storage, tensor.Dimensions, tensor.Format == NumberFormats.Q4_0 ? 4 : 8, BlockLength) => (this.decoder, this.tensor, this.reader) = (decoder, tensor, reader);

    /// <summary>Whether a format is of this kind.</summary>
    public static bool Reads(NumberFormat format) => format == NumberFormats.Q4_0 || format == NumberFormats.Q8_0;

    public override (int Lowest, int Highest) ZeroPoints => (1 << (Bits - 1), 1 << (Bits - 1));

    /// <summary>Every FP16 scale is a number of FP16 and of FP32; of BF16 some may not be.</summary>
    public override bool HasScalesOf(NumberFormat format) => format == NumberFormats.Fp16 || format == NumberFormats.Fp32;

    protected override void DecodeRows(long firstRow, Span<float> values) => decoder.ReadRows(firstRow, values);

    protected override void Read(long firstRow, int rows, Span<short> integers, Span<float> scales)
    {
        var size = tensor.Format.BlockBytes;
        var buffer = ArrayPool<byte>.Shared.Rent(scales.Length * size);
        try
        {
            var blocks = buffer.AsSpan(0, scales.Length * size);
            reader.Read(tensor, firstRow * Groups * size, blocks);
            for (var block = 0; block < scales.Length; block++)
            {
                var bytes = blocks.Slice(block * size, size);
                scales[block] = Fp16.ToSingle(BinaryPrimitives.ReadUInt16LittleEndian(bytes));
                Unpack(bytes[sizeof(ushort)..], integers.Slice(block * BlockLength, BlockLength));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private void Unpack(ReadOnlySpan<byte> codes, Span<short> integers)
    {
        if (Bits == 8)
        {
            var signed = MemoryMarshal.Cast<byte, sbyte>(codes);
            for (var at = 0; at < BlockLength; at++)
                integers[at] = signed[at];
            return;
        }
        for (var at = 0; at < BlockLength / 2; at++)
        {
            integers[at] = (short)((codes[at] & 0xF) - 8);
            integers[at + BlockLength / 2] = (short)((codes[at] >> 4) - 8);
        }
    }
}

using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Plimsoll.Numerics.Blocks.Lanes;
using Plimsoll.Numerics.Blocks.Packing;
using Plimsoll.Numerics.Codecs;

namespace Plimsoll.Numerics.Blocks.NonLinear;

/// <summary>IQ4_NL: FP16 scale, 32 four-bit codes of the non-linear levels, the first 16 in the low nibbles.</summary>
internal sealed unsafe class IQ4_NL<T> : BlockCodec, IBlockGrid where T : unmanaged, ICodeLanes<T>
{
    private const int Length = NonLinearSearch.Length;
    private const int BlockBytes = sizeof(ushort) + Length / 2;

    public override NumberFormat Format { get; } = NumberFormats.Find("IQ4_NL")!;

    int IBlockGrid.SubLength => Length;

    ReadOnlySpan<float> IBlockGrid.Levels => NonLinearLevels.Floats;

    void IBlockGrid.ReadGrid(ReadOnlySpan<byte> block, Span<float> scales, Span<float> offsets) =>
        (scales[0], offsets[0]) = (Fp16.ToSingle(BinaryPrimitives.ReadUInt16LittleEndian(block)), 0);

    void IBlockGrid.WriteCodes(ReadOnlySpan<byte> codes, Span<byte> block) => Nibbles.PackPairs(codes, Length / 2, block[sizeof(ushort)..]);

    [SkipLocalsInit]
    protected override void EncodeRows(ReadOnlySpan<float> values, int rowLength, Span<byte> blocks, ReadOnlySpan<float> importance, BlockSearch search)
    {
        var w = stackalloc float[Length];
        var codes = stackalloc byte[Length];
        fixed (float* source = values)
        fixed (float* columns = importance)
        {
            for (var start = 0; start < values.Length; start += Length, blocks = blocks[BlockBytes..])
            {
                var x = source + start;
                var weights = columns == null ? null : columns + start % rowLength;
                NonLinearSearch.Weights<T>(x, weights, NonLinearSearch.Variance(values.Slice(start, Length)), w);
                var scale = NonLinearSearch.Run<T>(x, w);
                if (search == BlockSearch.Best)
                    scale = NonLinearGrid.Refine<T>(x, weights, scale);
                NonLinearSearch.Codes<T>(x, scale, codes);
                BinaryPrimitives.WriteUInt16LittleEndian(blocks, Fp16.FromSingle(scale));
                Nibbles.PackPairs(new(codes, Length), Length / 2, blocks[sizeof(ushort)..BlockBytes]);
            }
        }
    }

    protected override void DecodeBlocks(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; !values.IsEmpty; values = values[Length..], blocks = blocks[BlockBytes..])
        {
            var scale = Fp16.ToSingle(BinaryPrimitives.ReadUInt16LittleEndian(blocks));
            NonLinearSearch.Decode<T>(blocks[sizeof(ushort)..BlockBytes], scale, values[..Length]);
        }
    }
}

using System.Runtime.CompilerServices;
using Plimsoll.Numerics.Blocks.Lanes;
using Plimsoll.Numerics.Blocks.Packing;

namespace Plimsoll.Numerics.Blocks.Microscaling;

/// <summary>NVFP4 in ggml's layout: four unsigned E4M3 scales, then 4 × 16 E2M1 codes, the first 8 of each sub-block in the low nibbles.</summary>
internal sealed class NVFP4<T> : BlockCodec where T : unmanaged, ILanes<T>
{
    private const int SubLength = 16;
    private const int SubBlocks = 4;
    private const int Length = SubBlocks * SubLength;
    private const int BlockBytes = SubBlocks + Length / 2;

    /// <summary>The largest E2M1 magnitude.</summary>
    private const float LargestCode = 6;

    public override NumberFormat Format { get; } = NumberFormats.Find("NVFP4_GGML")!;

    public override ImportanceUse Importance => ImportanceUse.Ignored;

    [SkipLocalsInit]
    protected override void EncodeRows(ReadOnlySpan<float> values, int rowLength, Span<byte> blocks, ReadOnlySpan<float> importance, BlockSearch search)
    {
        Span<byte> codes = stackalloc byte[Length];
        for (; !values.IsEmpty; values = values[Length..], blocks = blocks[BlockBytes..])
        {
            for (var s = 0; s < SubBlocks; s++)
            {
                var sub = values.Slice(s * SubLength, SubLength);
                blocks[s] = UnsignedE4M3.Encode(BlockRange.Magnitude<T>(sub) / LargestCode);
                E2M1Codes.Encode<T>(sub, UnsignedE4M3.HalfValue(blocks[s]), codes.Slice(s * SubLength, SubLength));
            }
            Nibbles.PackPairs(codes, SubLength / 2, blocks[SubBlocks..BlockBytes]);
        }
    }

    [SkipLocalsInit]
    protected override void DecodeBlocks(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        Span<byte> codes = stackalloc byte[Length];
        for (; !values.IsEmpty; values = values[Length..], blocks = blocks[BlockBytes..])
        {
            Nibbles.UnpackPairs(blocks[SubBlocks..BlockBytes], SubLength / 2, codes);
            for (var s = 0; s < SubBlocks; s++)
                E2M1Codes.Decode(codes.Slice(s * SubLength, SubLength), UnsignedE4M3.HalfValue(blocks[s]), values.Slice(s * SubLength, SubLength));
        }
    }
}

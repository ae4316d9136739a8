using Plimsoll.Numerics.Blocks.Lanes;
using Plimsoll.Numerics.Blocks.Packing;

namespace Plimsoll.Numerics.Blocks.KQuants;

/// <summary>Q4_K: FP16 scale and minimum, 12 bytes of 6-bit scales and minimums, 256 four-bit codes in 8 sub-blocks of 32.</summary>
/// <remarks>Of each 64 elements, 32 bytes hold the first 32 in the low and the others in the high nibbles.</remarks>
internal sealed class Q4_K<T>() : SixBitScaleMinCodec<T>("Q4_K", levels: 15, new(15, -1f, 0.1f, 20)) where T : unmanaged, ILanes<T>
{
    protected override void Pack(ReadOnlySpan<byte> codes, Span<byte> block) => Nibbles.PackPairs(codes, 32, block[HeaderBytes..]);

    protected override void Unpack(ReadOnlySpan<byte> block, Span<byte> codes) => Nibbles.UnpackPairs(block[HeaderBytes..], 32, codes);
}

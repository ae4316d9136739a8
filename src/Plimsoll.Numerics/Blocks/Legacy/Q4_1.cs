using Plimsoll.Numerics.Blocks.Lanes;
using Plimsoll.Numerics.Blocks.Packing;

namespace Plimsoll.Numerics.Blocks.Legacy;

/// <summary>Q4_1: FP16 scale and minimum, 32 four-bit codes, the first 16 in the low nibbles.</summary>
internal sealed class Q4_1<T>() : MinLegacyCodec<T>("Q4_1", levels: 15) where T : unmanaged, ILanes<T>
{
    protected override void Pack(ReadOnlySpan<byte> codes, Span<byte> packed) => Nibbles.PackPairs(codes, 16, packed);

    protected override void Unpack(ReadOnlySpan<byte> packed, Span<byte> codes) => Nibbles.UnpackPairs(packed, 16, codes);
}

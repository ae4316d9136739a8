using Plimsoll.Numerics.Blocks.Lanes;
using Plimsoll.Numerics.Blocks.Packing;

namespace Plimsoll.Numerics.Blocks.Legacy;

/// <summary>Q4_0: FP16 scale, 32 four-bit codes, the first 16 in the low nibbles.</summary>
internal sealed class Q4_0<T>() : SignedLegacyCodec<T>("Q4_0", levels: 8) where T : unmanaged, ILanes<T>
{
    protected override void Pack(ReadOnlySpan<byte> codes, Span<byte> packed) => Nibbles.PackPairs(codes, 16, packed);

    protected override void Unpack(ReadOnlySpan<byte> packed, Span<byte> codes) => Nibbles.UnpackPairs(packed, 16, codes);
}

using Plimsoll.Numerics.Blocks.Lanes;

namespace Plimsoll.Numerics.Blocks.Legacy;

/// <summary>Q5_0: FP16 scale, a word of fifth bits, the low four bits of 32 codes.</summary>
internal sealed class Q5_0<T>() : SignedLegacyCodec<T>("Q5_0", levels: 16) where T : unmanaged, ILanes<T>
{
    protected override void Pack(ReadOnlySpan<byte> codes, Span<byte> packed) => FiveBits.Pack(codes, packed);

    protected override void Unpack(ReadOnlySpan<byte> packed, Span<byte> codes) => FiveBits.Unpack(packed, codes);
}

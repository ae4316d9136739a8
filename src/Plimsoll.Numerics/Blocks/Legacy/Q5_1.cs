using Plimsoll.Numerics.Blocks.Lanes;

namespace Plimsoll.Numerics.Blocks.Legacy;

/// <summary>Q5_1: FP16 scale and minimum, a word of fifth bits, the low four bits of 32 codes.</summary>
internal sealed class Q5_1<T>() : MinLegacyCodec<T>("Q5_1", levels: 31) where T : unmanaged, ILanes<T>
{
    protected override void Pack(ReadOnlySpan<byte> codes, Span<byte> packed) => FiveBits.Pack(codes, packed);

    protected override void Unpack(ReadOnlySpan<byte> packed, Span<byte> codes) => FiveBits.Unpack(packed, codes);
}

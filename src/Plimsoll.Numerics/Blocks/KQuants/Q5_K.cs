using Plimsoll.Numerics.Blocks.Lanes;
using Plimsoll.Numerics.Blocks.Packing;

namespace Plimsoll.Numerics.Blocks.KQuants;

/// <summary>Q5_K: the scales of Q4_K, 32 bytes of fifth bits, then the low four bits as in Q4_K.</summary>
/// <remarks>Bit s of byte j of the fifth bits belongs to element j of sub-block s.</remarks>
internal sealed class Q5_K<T>() : SixBitScaleMinCodec<T>("Q5_K", levels: 31, new(31, -0.5f, 0.1f, 15)) where T : unmanaged, ILanes<T>
{
    private const int HighBytes = 32;

    protected override void Pack(ReadOnlySpan<byte> codes, Span<byte> block)
    {
        BitPlanes.Pack(codes, plane: 4, block.Slice(HeaderBytes, HighBytes));
        Nibbles.PackPairs(codes, 32, block[(HeaderBytes + HighBytes)..]);
    }

    protected override void Unpack(ReadOnlySpan<byte> block, Span<byte> codes)
    {
        Nibbles.UnpackPairs(block[(HeaderBytes + HighBytes)..], 32, codes);
        BitPlanes.Add(block.Slice(HeaderBytes, HighBytes), plane: 4, codes);
    }
}

using Plimsoll.Numerics.Blocks.Lanes;

namespace Plimsoll.Numerics.Blocks.Lattice;

/// <summary>IQ2_S: the low eight bits of 10-bit indices of points, a byte of signs for each, the high bits, then 4-bit scales of 16 weights each.</summary>
internal sealed class IQ2_S<T>() : LatticeCodec<T, EightCells>("IQ2_S", Rules) where T : unmanaged, ICodeLanes<T>
{
    private const int SignsAt = 32;
    private const int HighBitsAt = 64;
    private const int ScalesAt = 72;

    private static readonly LatticeRules Rules = new()
    {
        Lattice = () => Blocks.Lattice.Lattice.Iq2S,
        SubLength = 16,
        Variance = 2,
        PlainVariance = 0.25f,
        SmallestMagnitude = 1e-8f,
        HasPlainSigns = true,
        Range = 9,
        Step = 0.1f,
        Refinement = Refinement.OffLattice,
        ScaleFactor = 0.9875f,
        ScaleStep = 0.25f,
    };

    protected override void Pack(ReadOnlySpan<ushort> indices, ReadOnlySpan<byte> signs, ReadOnlySpan<byte> scales, Span<byte> block)
    {
        for (var group = 0; group < indices.Length; group++)
        {
            block[group] = (byte)indices[group];
            block[HighBitsAt + group / 4] |= (byte)(indices[group] >> 8 << group % 4 * 2);
        }
        signs.CopyTo(block[SignsAt..]);
        ScaleNibbles.Pack(scales, block[ScalesAt..]);
    }

    protected override void Unpack(ReadOnlySpan<byte> block, Span<ushort> indices, Span<byte> signs, Span<byte> scales)
    {
        for (var group = 0; group < indices.Length; group++)
            indices[group] = (ushort)(block[group] | (block[HighBitsAt + group / 4] >> group % 4 * 2 & 3) << 8);
        block.Slice(SignsAt, signs.Length).CopyTo(signs);
        ScaleNibbles.Unpack(block[ScalesAt..], scales);
    }
}

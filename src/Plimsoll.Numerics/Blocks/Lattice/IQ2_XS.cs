using System.Buffers.Binary;
using Plimsoll.Numerics.Blocks.Lanes;
using Plimsoll.Numerics.Blocks.Search;

namespace Plimsoll.Numerics.Blocks.Lattice;

/// <summary>IQ2_XS: for each eight weights a 9-bit index of a point and seven signs in 16 bits; then 4-bit scales of 16 weights each.</summary>
internal sealed class IQ2_XS<T>() : LatticeCodec<T, EightCells>("IQ2_XS", Rules) where T : unmanaged, ICodeLanes<T>
{
    private const int ScalesAt = 64;

    private static readonly LatticeRules Rules = new()
    {
        Lattice = () => Blocks.Lattice.Lattice.Iq2Xs,
        SubLength = 16,
        Variance = 1,
        SmallestMagnitude = SignedScaleSearch.SmallestMagnitude,
        HasPlainSigns = false,
        Range = 9,
        Step = 0.1f,
        Refinement = Refinement.OffLattice,
        ScaleFactor = 1,
        ScaleStep = 0.25f,
        ClearsFlat = true,
    };

    public override ImportanceUse Importance => ImportanceUse.Required;

    protected override void Pack(ReadOnlySpan<ushort> indices, ReadOnlySpan<byte> signs, ReadOnlySpan<byte> scales, Span<byte> block)
    {
        for (var group = 0; group < indices.Length; group++)
            BinaryPrimitives.WriteUInt16LittleEndian(block[(2 * group)..], (ushort)(indices[group] | (signs[group] & 127) << 9));
        ScaleNibbles.Pack(scales, block[ScalesAt..]);
    }

    protected override void Unpack(ReadOnlySpan<byte> block, Span<ushort> indices, Span<byte> signs, Span<byte> scales)
    {
        for (var group = 0; group < indices.Length; group++)
        {
            var packed = BinaryPrimitives.ReadUInt16LittleEndian(block[(2 * group)..]);
            indices[group] = (ushort)(packed & 511);
            signs[group] = SignBits.FromSeven((uint)packed >> 9);
        }
        ScaleNibbles.Unpack(block[ScalesAt..], scales);
    }
}

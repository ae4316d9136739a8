using System.Buffers.Binary;
using Plimsoll.Numerics.Blocks.Lanes;

namespace Plimsoll.Numerics.Blocks.Lattice;

/// <summary>IQ3_XXS: 8-bit indices of points of four weights; then for each 32 weights four times seven signs and a scale in 32 bits.</summary>
internal sealed class IQ3_XXS<T>() : LatticeCodec<T, FourCells>("IQ3_XXS", Rules) where T : unmanaged, ICodeLanes<T>
{
    private const int SignsAt = 64;

    private static readonly LatticeRules Rules = new()
    {
        Lattice = () => Blocks.Lattice.Lattice.Iq3Xxs,
        SubLength = 32,
        Variance = 2,
        SmallestMagnitude = 1e-8f,
        HasPlainSigns = false,
        Range = 15,
        Step = 0.2f,
        Refinement = Refinement.OffLattice,
        ScaleFactor = 1.0125f,
        ScaleStep = 0.5f,
        ClearsFlat = true,
    };

    protected override void Pack(ReadOnlySpan<ushort> indices, ReadOnlySpan<byte> signs, ReadOnlySpan<byte> scales, Span<byte> block)
    {
        for (var i = 0; i < indices.Length; i++)
            block[i] = (byte)indices[i];
        for (var j = 0; j < scales.Length; j++)
        {
            var packed = (uint)scales[j] << 28;
            for (var group = 0; group < 4; group++)
                packed |= (signs[4 * j + group] & 127u) << 7 * group;
            BinaryPrimitives.WriteUInt32LittleEndian(block[(SignsAt + 4 * j)..], packed);
        }
    }

    protected override void Unpack(ReadOnlySpan<byte> block, Span<ushort> indices, Span<byte> signs, Span<byte> scales)
    {
        for (var i = 0; i < indices.Length; i++)
            indices[i] = block[i];
        for (var j = 0; j < scales.Length; j++)
        {
            var packed = BinaryPrimitives.ReadUInt32LittleEndian(block[(SignsAt + 4 * j)..]);
            scales[j] = (byte)(packed >> 28);
            for (var group = 0; group < 4; group++)
                signs[4 * j + group] = SignBits.FromSeven(packed >> 7 * group);
        }
    }
}

using Plimsoll.Numerics.Blocks.Lanes;

namespace Plimsoll.Numerics.Blocks.Lattice;

/// <summary>IQ3_S: the low eight bits of 9-bit indices of points of four weights, the ninth bits, a byte of signs for each eight weights, then 4-bit scales of 32.</summary>
internal sealed class IQ3_S<T>() : LatticeCodec<T, FourCells>("IQ3_S", Rules) where T : unmanaged, ICodeLanes<T>
{
    private const int HighBitsAt = 64;
    private const int SignsAt = 72;
    private const int ScalesAt = 104;

    private static readonly LatticeRules Rules = new()
    {
        Lattice = () => Blocks.Lattice.Lattice.Iq3S,
        SubLength = 32,
        Variance = 2,
        SmallestMagnitude = float.Epsilon,
        HasPlainSigns = true,
        Range = 9,
        Step = 0.2f,
        Refinement = Refinement.AllIfAnyOffLattice,
        ScaleFactor = 1.033f,
        ScaleStep = 2,
    };

    protected override void Pack(ReadOnlySpan<ushort> indices, ReadOnlySpan<byte> signs, ReadOnlySpan<byte> scales, Span<byte> block)
    {
        for (var i = 0; i < indices.Length; i++)
        {
            block[i] = (byte)indices[i];
            block[HighBitsAt + i / 8] |= (byte)(indices[i] >> 8 << i % 8);
        }
        signs.CopyTo(block[SignsAt..]);
        ScaleNibbles.Pack(scales, block[ScalesAt..]);
    }

    /// <summary>Low bits and signs of the sub-blocks move up into the places of those that are zero, while high bits and scales stay.</summary>
    /// <remarks>quantize_row_iq3_s_impl leaves a zero sub-block before it steps to the next place. Such a block is decoded to something else.</remarks>
    protected override void RepeatFault(uint flat, Span<byte> block)
    {
        const int subBlocks = 8;
        var kept = 0;
        for (var j = 0; j < subBlocks; j++)
        {
            if ((flat >> j & 1) != 0)
                continue;
            block.Slice(8 * j, 8).CopyTo(block[(8 * kept)..]);
            block.Slice(SignsAt + 4 * j, 4).CopyTo(block[(SignsAt + 4 * kept)..]);
            kept++;
        }
        block[(8 * kept)..HighBitsAt].Clear();
        block[(SignsAt + 4 * kept)..ScalesAt].Clear();
    }

    protected override void Unpack(ReadOnlySpan<byte> block, Span<ushort> indices, Span<byte> signs, Span<byte> scales)
    {
        for (var i = 0; i < indices.Length; i++)
            indices[i] = (ushort)(block[i] | (block[HighBitsAt + i / 8] >> i % 8 & 1) << 8);
        block.Slice(SignsAt, signs.Length).CopyTo(signs);
        ScaleNibbles.Unpack(block[ScalesAt..], scales);
    }
}

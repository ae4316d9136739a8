using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Plimsoll.Numerics.Blocks.Lanes;
using Plimsoll.Numerics.Blocks.Search;

namespace Plimsoll.Numerics.Blocks.Lattice;

/// <summary>IQ2_XXS: for each 32 weights four 8-bit indices of points, then four times seven signs and a scale in 32 bits.</summary>
internal sealed unsafe class IQ2_XXS<T>() : LatticeCodec<T, EightCells>("IQ2_XXS", Rules) where T : unmanaged, ICodeLanes<T>
{
    private static readonly LatticeRules Rules = new()
    {
        Lattice = () => Blocks.Lattice.Lattice.Iq2Xxs,
        SubLength = 32,
        Variance = 1,
        SmallestMagnitude = SignedScaleSearch.SmallestMagnitude,
        HasPlainSigns = false,
        Range = 6,
        Step = 0.1f,
        Refinement = Refinement.All,
        ScaleFactor = 1,
        ScaleStep = 0.25f,
        ClearsFlat = true,
    };

    /// <summary>Levels of an element. The first search has one more.</summary>
    private const int Levels = 3;

    public override ImportanceUse Importance => ImportanceUse.Required;

    protected override bool TryStart(SuperBlock* block, int first, float magnitude, out float scale, out float largest)
    {
        scale = block->Starts[first / Rules.SubLength];
        largest = scale * Levels;
        return largest > 0;
    }

    /// <summary>A search without the lattice comes first, for as many sub-blocks at a time as there are lanes.</summary>
    [SkipLocalsInit]
    protected override void Prepare(SuperBlock* block)
    {
        Span<T> x = stackalloc T[Rules.SubLength];
        Span<T> w = stackalloc T[Rules.SubLength];
        Span<T> codes = stackalloc T[Rules.SubLength];
        for (var first = 0; first < SuperBlock.Length; first += T.Count * Rules.SubLength)
        {
            var length = Math.Min(T.Count * Rules.SubLength, SuperBlock.Length - first);
            Transposition.ToLanes(new ReadOnlySpan<float>(block->X + first, length), x);
            Transposition.ToLanes(new ReadOnlySpan<float>(block->W + first, length), w);
            var scales = PositiveScaleSearch.Run<T>(x, w, Levels + 1, codes);
            for (var lane = 0; lane < length / Rules.SubLength; lane++)
                block->Starts[first / Rules.SubLength + lane] = LaneBytes.At(scales, lane);
        }
    }

    protected override void Pack(ReadOnlySpan<ushort> indices, ReadOnlySpan<byte> signs, ReadOnlySpan<byte> scales, Span<byte> block)
    {
        for (var j = 0; j < scales.Length; j++)
        {
            var packed = (uint)scales[j] << 28;
            for (var group = 0; group < 4; group++)
            {
                block[8 * j + group] = (byte)indices[4 * j + group];
                packed |= (signs[4 * j + group] & 127u) << 7 * group;
            }
            BinaryPrimitives.WriteUInt32LittleEndian(block[(8 * j + 4)..], packed);
        }
    }

    protected override void Unpack(ReadOnlySpan<byte> block, Span<ushort> indices, Span<byte> signs, Span<byte> scales)
    {
        for (var j = 0; j < scales.Length; j++)
        {
            var packed = BinaryPrimitives.ReadUInt32LittleEndian(block[(8 * j + 4)..]);
            scales[j] = (byte)(packed >> 28);
            for (var group = 0; group < 4; group++)
            {
                indices[4 * j + group] = block[8 * j + group];
                signs[4 * j + group] = SignBits.FromSeven(packed >> 7 * group);
            }
        }
    }
}

using Plimsoll.Numerics.Quantizers;

namespace Plimsoll.Quantization.HuggingFace.Layers.Integers.Rounding;

/// <summary>How the codes of a group are spread over its weights.</summary>
internal enum IntegerRange
{
    /// <summary>Zero is the middle code and all codes are used: 7.5 steps to the largest magnitude for four bits.</summary>
    Symmetric,

    /// <summary>Zero is the middle code and the smallest code is not used: 127 steps for eight bits (LLM.int8()).</summary>
    Restricted,

    /// <summary>The range from the smallest to the largest weight, zero included.</summary>
    Asymmetric,
}

/// <summary>The scales and zero points that a layout can hold.</summary>
internal sealed class IntegerGrid(IntegerPacking packing, IntegerRange range)
{
    public int Bits => packing.Bits;

    public int Columns => packing.Columns;

    public int GroupLength => packing.GroupLength;

    /// <summary>The middle code.</summary>
    public byte Middle => (byte)(1 << (Bits - 1));

    /// <summary>The smallest code in use.</summary>
    public int LowestCode => range == IntegerRange.Restricted ? 1 : 0;

    /// <summary>Whether zero points are chosen.</summary>
    public bool HasZeroPoints => range == IntegerRange.Asymmetric;

    /// <summary>What codes stand for under a scale of one, less the zero point where it is the middle for all: 0 … 15, or −8 … 7.</summary>
    public float[] Levels => [.. Enumerable.Range(LowestCode, (1 << Bits) - LowestCode).Select(code => (float)(HasZeroPoints ? code : code - Middle))];

    /// <summary>Scale and zero point of a group, as they are stored, when its range is made smaller.</summary>
    /// <param name="share">1 for the whole range.</param>
    public (float Scale, byte Zero) Choose(ReadOnlySpan<float> group, float share = 1)
    {
        if (range == IntegerRange.Asymmetric)
        {
            var (chosen, minimum) = GroupQuantizer.AsymmetricScale(group, Bits);
            var scale = packing.Stored(chosen * share);
            return (scale, (byte)Math.Clamp((int)GroupQuantizer.ZeroPoint(minimum * share, scale, Bits), packing.ZeroPoints.Lowest, packing.ZeroPoints.Highest));
        }
        var step = range == IntegerRange.Restricted ? GroupQuantizer.Largest(group) / (Middle - 1) : GroupQuantizer.SymmetricScale(group, Bits);
        return (packing.Stored(step * share), Middle);
    }

    /// <summary>The nearest codes.</summary>
    public void Encode(ReadOnlySpan<float> group, float scale, byte zero, Span<byte> codes) => GroupQuantizer.Encode(group, scale, zero, Bits, codes, LowestCode);
}

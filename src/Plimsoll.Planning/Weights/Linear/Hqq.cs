using static Plimsoll.Planning.Weights.Linear.LinearMethod;

namespace Plimsoll.Planning.Weights.Linear;

/// <summary>HQQ: codes with a 16-bit scale and zero point per group.</summary>
internal static class Hqq
{
    /// <param name="bits">1, 2, 3, 4 or 8; ten 3-bit codes share a 32-bit word, the others fill bytes.</param>
    /// <param name="group">Weights that share a scale and a zero point.</param>
    /// <remarks>Source: hqq core/quantize.py and core/bitpack.py.</remarks>
    public static LinearMethod Method(int bits, int group) => new()
    {
        Name = $"hqq:{bits}bit-g{group}",
        Summary = $"HQQ, {bits} bits, a 16-bit scale and zero point per {group} weights; embeddings, norms, router and head in 16 bits",
        Codes = PlainScheme.Integer(bits),
        Requirement = $"HQQ needs weights in whole groups of {group}",
        BytesOfLayer = (outputs, inputs) =>
        {
            var weights = checked(outputs * inputs);
            if (weights % group != 0)
                return null;
            return (bits == 3 ? Units(weights, 10) * 4 : Units(weights * bits, 8)) + weights / group * 4;
        },
    };
}

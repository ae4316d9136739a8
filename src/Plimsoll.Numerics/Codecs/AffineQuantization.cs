namespace Plimsoll.Numerics.Codecs;

/// <summary>How a range of real numbers becomes a scale and a zero point.</summary>
public enum AffineScheme
{
    /// <summary>Zero maps to zero and the codes are −(2^(b−1)−1) … 2^(b−1)−1: scale = amax / (2^(b−1)−1).</summary>
    /// <remarks>Jacob et al. 2018 §2.1 and Dettmers et al. 2022 (LLM.int8): ±127 for eight bits.</remarks>
    Symmetric,

    /// <summary>Zero maps to zero and every code is used: scale = amax / ((2^b−1)/2), so 7.5 steps for four bits.</summary>
    /// <remarks>compressed-tensors and GPTQ with <c>sym</c>; the largest positive value may be half a step short.</remarks>
    SymmetricFullRange,

    /// <summary>The range, widened to contain zero, is spread over all codes: scale = (max−min)/(2^b−1), zero point = qmin − round(min/scale).</summary>
    /// <remarks>Jacob et al. 2018 equations 1 and 13 (real = scale · (code − zero point), zero exactly representable); PyTorch observers.</remarks>
    Asymmetric,
}

/// <summary>Affine integer quantization: code = clamp(round(x / scale) + zero point), x ≈ scale · (code − zero point). Rounds half to even.</summary>
public sealed record AffineQuantization
{
    /// <summary>The narrowest and widest code that this arithmetic is defined for.</summary>
    public const int MinBits = 2;

    public const int MaxBits = 16;

    private AffineQuantization(double scale, int zeroPoint, int minimum, int maximum) =>
        (Scale, ZeroPoint, Minimum, Maximum) = (scale, zeroPoint, minimum, maximum);

    /// <summary>The distance between two codes.</summary>
    public double Scale { get; }

    /// <summary>The code that stands for zero.</summary>
    public int ZeroPoint { get; }

    /// <summary>The smallest code in use.</summary>
    public int Minimum { get; }

    /// <summary>The largest code in use.</summary>
    public int Maximum { get; }

    /// <summary>Chooses scale and zero point for values between <paramref name="minimum"/> and <paramref name="maximum"/>.</summary>
    /// <remarks>
    /// Unsigned symmetric codes are the signed ones plus 2^(b−1), as GPTQ stores them. A range of only zeros has scale 1.
    /// </remarks>
    /// <exception cref="ArgumentException">The range is not finite or reversed, or bits lie outside 2–16.</exception>
    public static AffineQuantization FromRange(double minimum, double maximum, int bits, bool signed, AffineScheme scheme)
    {
        CheckBits(bits);
        if (!double.IsFinite(minimum) || !double.IsFinite(maximum) || !double.IsFinite(maximum - minimum) || minimum > maximum)
            throw new ArgumentException($"the range {minimum} … {maximum} is not a finite, ordered one", nameof(minimum));

        var half = 1 << (bits - 1);
        var shift = signed ? 0 : half;
        if (scheme == AffineScheme.Asymmetric)
        {
            var (low, high) = (Math.Min(minimum, 0), Math.Max(maximum, 0));
            var scale = ScaleOf(high - low, 2 * half - 1);
            var first = shift - half;
            var zero = first - Math.Round(low / scale, MidpointRounding.ToEven);
            return new(scale, (int)Math.Clamp(zero, first, first + 2 * half - 1), first, first + 2 * half - 1);
        }

        var largest = Math.Max(Math.Abs(minimum), Math.Abs(maximum));
        return scheme == AffineScheme.SymmetricFullRange
            ? new(ScaleOf(largest, half - 0.5), shift, shift - half, shift + half - 1)
            : new(ScaleOf(largest, half - 1), shift, shift - half + 1, shift + half - 1);
    }

    /// <summary>Takes scale and zero point as given, with every code in use.</summary>
    /// <exception cref="ArgumentException">The scale is not positive and finite, the zero point is no code, or bits lie outside 2–16.</exception>
    public static AffineQuantization FromScale(double scale, int zeroPoint, int bits, bool signed)
    {
        CheckBits(bits);
        if (!(scale > 0) || !double.IsFinite(scale))
            throw new ArgumentException($"the scale {scale} is not a positive number", nameof(scale));
        var minimum = signed ? -(1 << (bits - 1)) : 0;
        var maximum = minimum + (1 << bits) - 1;
        if (zeroPoint < minimum || zeroPoint > maximum)
            throw new ArgumentException($"the zero point {zeroPoint} is not a code between {minimum} and {maximum}", nameof(zeroPoint));
        return new(scale, zeroPoint, minimum, maximum);
    }

    /// <summary>The code of a value; what lies outside the range becomes the nearest end.</summary>
    /// <exception cref="ArgumentException">The value is NaN.</exception>
    public int Quantize(double value)
    {
        if (double.IsNaN(value))
            throw new ArgumentException("an integer code cannot hold NaN", nameof(value));
        return (int)Math.Clamp(Math.Round(value / Scale, MidpointRounding.ToEven) + ZeroPoint, Minimum, Maximum);
    }

    /// <summary>The value of a code: scale · (code − zero point).</summary>
    public double Dequantize(int code) => Scale * (code - ZeroPoint);

    /// <summary>Dequantized minus original.</summary>
    public double Error(double value) => Dequantize(Quantize(value)) - value;

    private static double ScaleOf(double extent, double steps)
    {
        var scale = extent / steps;
        return scale > 0 ? scale : 1;
    }

    private static void CheckBits(int bits)
    {
        if (bits is < MinBits or > MaxBits)
            throw new ArgumentException($"integer codes have {MinBits} to {MaxBits} bits, not {bits}", nameof(bits));
    }
}

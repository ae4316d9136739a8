namespace Plimsoll.Numerics.Codecs;

/// <summary>What the extreme codes of a floating-point layout mean.</summary>
public enum FloatSpecials
{
    /// <summary>IEEE 754: the all-ones exponent holds infinity and NaN (FP16, BF16, E5M2).</summary>
    InfinityAndNan,

    /// <summary>"FN": no infinity; only the all-ones code of either sign is NaN (E4M3 of the OCP FP8 specification).</summary>
    NanOnly,

    /// <summary>"FNUZ": no infinity, no negative zero; the code of negative zero is the one NaN (AMD MI300, PyTorch <c>float8_*fnuz</c>).</summary>
    NanAsNegativeZero,

    /// <summary>Every code is a finite number (FP4 and FP6 of the OCP microscaling specification).</summary>
    None,
}

/// <summary>What encoding does with a magnitude that rounds past the largest finite one.</summary>
public enum FloatOverflow
{
    /// <summary>As a plain cast (IEEE 754, PyTorch): infinity where the layout has one, else NaN, else the largest finite value.</summary>
    Cast,

    /// <summary>The largest finite value of the same sign, also for infinity (OCP FP8 "saturating" conversion, CUDA <c>satfinite</c>).</summary>
    Saturate,
}

/// <summary>A signed floating-point layout of up to 64 bits and its scalar codec, the reference that every faster path must equal.</summary>
/// <remarks>
/// Codes are right-aligned: sign, exponent field, mantissa field. Rounding is to nearest, ties to the even code, in one step from
/// <see cref="double"/>: encoding a double through float first would round twice.
/// Sources: IEEE 754-2019; OCP 8-bit Floating Point Specification 1.0; OCP Microscaling Formats 1.0; PyTorch c10/util/Float8_*.h for FNUZ.
/// </remarks>
public sealed record FloatLayout(int ExponentBits, int MantissaBits, int Bias, FloatSpecials Specials)
{
    public static FloatLayout Fp64 { get; } = new(11, 52, 1023, FloatSpecials.InfinityAndNan);
    public static FloatLayout Fp32 { get; } = new(8, 23, 127, FloatSpecials.InfinityAndNan);
    public static FloatLayout Tf32 { get; } = new(8, 10, 127, FloatSpecials.InfinityAndNan);
    public static FloatLayout Fp16 { get; } = new(5, 10, 15, FloatSpecials.InfinityAndNan);
    public static FloatLayout Bf16 { get; } = new(8, 7, 127, FloatSpecials.InfinityAndNan);
    public static FloatLayout E5M2 { get; } = new(5, 2, 15, FloatSpecials.InfinityAndNan);
    public static FloatLayout E4M3 { get; } = new(4, 3, 7, FloatSpecials.NanOnly);
    public static FloatLayout E5M2Fnuz { get; } = new(5, 2, 16, FloatSpecials.NanAsNegativeZero);
    public static FloatLayout E4M3Fnuz { get; } = new(4, 3, 8, FloatSpecials.NanAsNegativeZero);
    public static FloatLayout E3M2 { get; } = new(3, 2, 3, FloatSpecials.None);
    public static FloatLayout E2M3 { get; } = new(2, 3, 1, FloatSpecials.None);
    public static FloatLayout E2M1 { get; } = new(2, 1, 1, FloatSpecials.None);

    /// <summary>Bits of one code, sign included.</summary>
    public int Bits => 1 + ExponentBits + MantissaBits;

    /// <summary>The exponent of the smallest normal number.</summary>
    public int MinExponent => 1 - Bias;

    public double MaxValue => Magnitude(MaxFiniteCode);

    public double MinNormal => Math.ScaleB(1, MinExponent);

    public double MinSubnormal => Math.ScaleB(1, MinExponent - MantissaBits);

    /// <summary>The code of the largest finite number.</summary>
    public ulong MaxFiniteCode => Specials switch
    {
        FloatSpecials.InfinityAndNan => ExponentMask - 1,
        FloatSpecials.NanOnly => SignMask - 2,
        _ => SignMask - 1,
    };

    /// <summary>The code of positive infinity; null where the layout has none.</summary>
    public ulong? InfinityCode => Specials == FloatSpecials.InfinityAndNan ? ExponentMask : null;

    /// <summary>The code that encoding gives for NaN without its sign (the quiet NaN without payload); null where the layout has none.</summary>
    public ulong? NanCode => Specials switch
    {
        FloatSpecials.InfinityAndNan => ExponentMask | (1UL << (MantissaBits - 1)),
        FloatSpecials.NanOnly => SignMask - 1,
        FloatSpecials.NanAsNegativeZero => SignMask,
        _ => null,
    };

    private ulong SignMask => 1UL << (ExponentBits + MantissaBits);

    private ulong ExponentMask => SignMask - (1UL << MantissaBits);

    /// <summary>The nearest code, ties to even. NaN keeps its sign where the layout has two NaNs, and loses its payload.</summary>
    /// <exception cref="ArgumentException">The value is NaN and the layout has no NaN.</exception>
    public ulong Encode(double value, FloatOverflow overflow = FloatOverflow.Cast)
    {
        var sign = double.IsNegative(value) ? SignMask : 0;
        if (double.IsNaN(value))
            return NanCode is { } nan
                ? nan | sign
                : throw new ArgumentException($"an E{ExponentBits}M{MantissaBits} code cannot hold NaN", nameof(value));

        var magnitude = double.IsInfinity(value) ? MaxFiniteCode + 1 : RoundedCode(Math.Abs(value), MidpointRounding.ToEven);
        if (magnitude > MaxFiniteCode)
            return overflow == FloatOverflow.Saturate ? MaxFiniteCode | sign
                : InfinityCode is { } infinity ? infinity | sign
                : NanCode is { } none ? none | sign
                : MaxFiniteCode | sign;
        return magnitude == 0 && Specials == FloatSpecials.NanAsNegativeZero ? 0 : magnitude | sign;
    }

    /// <summary>The value of a code, exact.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The code has more bits than the layout.</exception>
    public double Decode(ulong code)
    {
        if (Bits < 64)
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(code, 1UL << Bits);
        var negative = (code & SignMask) != 0;
        var magnitude = code & (SignMask - 1);
        if (magnitude > MaxFiniteCode || (negative && magnitude == 0 && Specials == FloatSpecials.NanAsNegativeZero))
            return magnitude == InfinityCode ? (negative ? double.NegativeInfinity : double.PositiveInfinity) : double.NaN;
        return negative ? -Magnitude(magnitude) : Magnitude(magnitude);
    }

    /// <summary>The codes of the magnitudes next to |value|: the largest that is not above it, and the next one.</summary>
    /// <remarks>Below is at most <see cref="MaxFiniteCode"/>; above is null past the largest finite number. For a value that a code holds exactly both are that code.</remarks>
    public (ulong Below, ulong? Above) Neighbours(double value)
    {
        var magnitude = Math.Abs(value);
        if (!(magnitude <= MaxValue))
            return (MaxFiniteCode, null);
        var below = RoundedCode(magnitude, MidpointRounding.ToZero);
        if (Magnitude(below) == magnitude)
            return (below, below);
        return (below, below + 1);
    }

    /// <summary>Sign, exponent field and mantissa field as binary digits, separated by blanks.</summary>
    public string BitString(ulong code)
    {
        var digits = code.ToString("b").PadLeft(Bits, '0');
        return $"{digits[..1]} {digits[1..(1 + ExponentBits)]} {digits[(1 + ExponentBits)..]}";
    }

    /// <summary>The code of a finite, non-negative value, as if the exponent had no upper limit.</summary>
    /// <remarks>
    /// In units of the last place the magnitude is n = value / 2^(max(e, MinExponent) - MantissaBits). A normal number has the hidden bit
    /// in n, which adds exactly one to the exponent field; a mantissa that rounds up to the next power of two carries into it the same way.
    /// </remarks>
    private ulong RoundedCode(double magnitude, MidpointRounding rounding)
    {
        if (magnitude == 0)
            return 0;
        var exponent = Math.Max(Math.ILogB(magnitude), MinExponent);
        var units = Math.Round(Math.ScaleB(magnitude, MantissaBits - exponent), rounding);
        return ((ulong)(exponent - MinExponent) << MantissaBits) + (ulong)units;
    }

    private double Magnitude(ulong magnitude)
    {
        var field = (int)(magnitude >> MantissaBits);
        var mantissa = magnitude & ((1UL << MantissaBits) - 1);
        return field == 0
            ? Math.ScaleB(mantissa, MinExponent - MantissaBits)
            : Math.ScaleB(mantissa + (1UL << MantissaBits), field - Bias - MantissaBits);
    }
}

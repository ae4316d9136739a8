namespace Plimsoll.Numerics.Codecs;

/// <summary>How a block scale becomes a power of two. The choice is worth one to three points of accuracy in MXFP4.</summary>
public enum E8M0Rounding
{
    /// <summary>The nearest power of two; 1.5 × 2^e goes up (PyTorch <c>float8_e8m0fnu</c>).</summary>
    Nearest,

    /// <summary>The power of two not above (the OCP specification's exponent, ggml).</summary>
    Down,

    /// <summary>The power of two not below, so that no element of the block saturates ("rceil").</summary>
    Up,
}

/// <summary>E8M0: a power of two in eight bits, the scale of the microscaling formats. No sign, no zero; 255 is NaN.</summary>
/// <remarks>Source: OCP Microscaling Formats 1.0, section 5.4.1.</remarks>
public static class E8M0
{
    public const byte Nan = 0xFF;
    public const int Bias = 127;

    /// <summary>2^(code − 127), or NaN. Exact in FP32 too, where code 0 is subnormal.</summary>
    public static double Decode(byte code) => code == Nan ? double.NaN : Math.ScaleB(1, code - Bias);

    /// <summary>The code of |value|. Magnitudes below 2^-127, zero included, give code 0; NaN, infinity and what rounds past 2^127 give NaN.</summary>
    /// <remarks>PyTorch agrees for every normal FP32 number; between 2^-127 and 2^-126, where it always rounds up, this takes the nearer one.</remarks>
    public static byte Encode(double value, E8M0Rounding rounding)
    {
        var magnitude = Math.Abs(value);
        if (!double.IsFinite(magnitude))
            return Nan;
        if (magnitude <= Math.ScaleB(1, -Bias))
            return 0;
        var exponent = Math.ILogB(magnitude);
        var significand = Math.ScaleB(magnitude, -exponent);
        var up = rounding switch
        {
            E8M0Rounding.Nearest => significand >= 1.5,
            E8M0Rounding.Up => significand > 1,
            _ => false,
        };
        return (byte)Math.Min(exponent + (up ? 1 : 0) + Bias, Nan);
    }
}

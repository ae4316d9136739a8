namespace Plimsoll.Numerics.Blocks.Microscaling;

/// <summary>The scale codes of ggml's NVFP4: E4M3 without a sign, 0 … 448.</summary>
internal static class UnsignedE4M3
{
    public const byte Largest = 0x7E;
    public const float MaxValue = 448;
    private const byte Nan = 0x7F;
    private const int Bias = 7;
    private const int MantissaBits = 3;

    /// <summary>ggml gives all of this exponent, 256 and up, the code of 448.</summary>
    private const int LargestExponentField = 15;

    /// <summary>Half of the value, since ggml doubles the E2M1 values; 0 for the code of NaN. The top bit is not read.</summary>
    public static float HalfValue(byte code)
    {
        if (code is 0 or Nan)
            return 0;
        var exponent = code >> MantissaBits & 15;
        var mantissa = code & 7;
        return exponent == 0
            ? MathF.ScaleB(mantissa, 1 - Bias - MantissaBits - 1)
            : MathF.ScaleB(8 + mantissa, exponent - Bias - MantissaBits - 1);
    }

    /// <summary>The nearest code, ties away from zero; 448 from 248 on. <c>ggml_fp32_to_ue4m3</c>: what rounds past the subnormals stays the largest of them.</summary>
    public static byte Encode(float value)
    {
        if (!(value > 0))
            return 0;
        var bits = BitConverter.SingleToUInt32Bits(MathF.Min(value, MaxValue));
        var exponent = (int)(bits >> 23) - 127 + Bias;
        if (exponent <= 0)
            return (byte)Math.Min(7, (int)(value * 512 + 0.5f));
        // Half a unit added to the kept bits carries into the exponent where the mantissa is full.
        var rounded = ((exponent << MantissaBits) | (int)(bits >> 20 & 7)) + (int)(bits >> 19 & 1);
        return rounded >> MantissaBits >= LargestExponentField ? Largest : (byte)rounded;
    }
}

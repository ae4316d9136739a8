namespace Plimsoll.Numerics.Codecs;

/// <summary>IEEE 754 binary16 codes, by the conversions of the processor where it has them.</summary>
public static class Fp16
{
    /// <summary>The nearest code, ties to even; beyond 65520 infinity.</summary>
    public static ushort FromSingle(float value) => BitConverter.HalfToUInt16Bits((Half)value);

    public static float ToSingle(ushort code) => (float)BitConverter.UInt16BitsToHalf(code);
}

namespace Plimsoll.Numerics.Codecs;

/// <summary>TF32: FP32 whose mantissa keeps 10 bits inside the tensor core. Memory always holds all 32 bits.</summary>
public static class Tf32
{
    private const uint Infinity = 0x7F80_0000;
    private const uint Magnitude = 0x7FFF_FFFF;
    private const uint QuietBit = 0x0040_0000;
    private const uint Dropped = 0x1FFF;

    /// <summary>The nearest TF32 number, ties to even (PTX <c>cvt.rn.tf32</c>); NaN becomes quiet.</summary>
    /// <remarks>Tensor cores that are fed unrounded FP32 simply drop the 13 bits; libraries round first.</remarks>
    public static float Round(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        bits = (bits & Magnitude) > Infinity ? bits | QuietBit : bits + 0x0FFF + ((bits >> 13) & 1);
        return BitConverter.UInt32BitsToSingle(bits & ~Dropped);
    }
}

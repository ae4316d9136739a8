namespace Plimsoll.Numerics.Codecs;

/// <summary>bfloat16 codes: the upper half of the bits of an FP32 number.</summary>
public static class Bf16
{
    private const uint Infinity = 0x7F80_0000;
    private const uint Magnitude = 0x7FFF_FFFF;
    private const uint QuietBit = 0x0040;

    /// <summary>The nearest code, ties to even. NaN keeps its sign and upper payload and becomes quiet, as ggml does.</summary>
    /// <remarks>Adding half a unit less one, plus the lowest kept bit, carries exactly where round-half-to-even goes up.</remarks>
    public static ushort FromSingle(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return (bits & Magnitude) > Infinity
            ? (ushort)((bits >> 16) | QuietBit)
            : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    public static float ToSingle(ushort code) => BitConverter.UInt32BitsToSingle((uint)code << 16);
}

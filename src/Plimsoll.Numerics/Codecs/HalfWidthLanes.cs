using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Plimsoll.Numerics.Codecs;

/// <summary>A 16-bit float, one at a time and eight at a time.</summary>
internal interface IHalfWidth
{
    /// <summary>The code of infinity without its sign; the one below it is the largest finite number.</summary>
    static abstract ushort Infinity { get; }

    static abstract ushort Encode(float value);

    static abstract Vector256<uint> Encode(Vector256<float> values);

    static abstract float Decode(ushort code);

    static abstract Vector256<float> Decode(Vector256<uint> codes);
}

/// <summary>IEEE 754 binary16.</summary>
internal readonly struct Fp16Lanes : IHalfWidth
{
    private const uint SignMask = 0x8000_0000;
    private const uint Fp32Infinity = 0x7F80_0000;
    private const ushort Fp16Infinity = 0x7C00;
    private const uint QuietNan = 0x7E00;
    private const uint Payload = 0x03FF;
    private const uint Fp32Quiet = 0x0040_0000;
    private const int MantissaDifference = 23 - 10;

    /// <summary>2⁻¹⁴, the smallest normal FP16 number, and 2¹⁶, past the largest, as FP32 bits.</summary>
    private const uint SmallestNormal = 113u << 23;
    private const uint PastLargest = 143u << 23;

    public static ushort Infinity => Fp16Infinity;

    public static ushort Encode(float value) => Fp16.FromSingle(value);

    public static float Decode(ushort code) => Fp16.ToSingle(code);

    /// <summary>Beside 2^(e + 13), where e is the exponent or −14, a float keeps just the bits of an FP16 mantissa, rounded.</summary>
    /// <remarks>
    /// The difference of the bits is the mantissa with its hidden bit, which adds one to the exponent field where there is one; e + 14 is in that field before.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> Encode(Vector256<float> values)
    {
        var bits = values.AsUInt32();
        var magnitude = bits & Vector256.Create(~SignMask);
        var capped = Vector256.Min(magnitude, Vector256.Create(PastLargest));
        var exponent = Vector256.Max(capped, Vector256.Create(SmallestNormal)) & Vector256.Create(Fp32Infinity);
        var unit = exponent + Vector256.Create((uint)MantissaDifference << 23);
        var mantissa = (capped.AsSingle() + unit.AsSingle()).AsUInt32() - unit;
        var code = ((exponent - Vector256.Create(SmallestNormal)) >>> MantissaDifference) + mantissa;
        var isNan = Vector256.GreaterThan(magnitude.AsInt32(), Vector256.Create((int)Fp32Infinity)).AsUInt32();
        var nan = Vector256.Create(QuietNan) | ((magnitude >>> MantissaDifference) & Vector256.Create(Payload));
        return Vector256.ConditionalSelect(isNan, nan, code) | ((bits & Vector256.Create(SignMask)) >>> 16);
    }

    /// <summary>The bits moved to their place in FP32, times 2¹¹² for the difference of the biases.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Decode(Vector256<uint> codes)
    {
        var magnitude = codes & Vector256.Create(0x7FFFu);
        var value = (magnitude << MantissaDifference).AsSingle() * Vector256.Create(BitConverter.UInt32BitsToSingle((127u + 112) << 23));
        var infinite = Vector256.GreaterThan(magnitude.AsInt32(), Vector256.Create(Fp16Infinity - 1)).AsUInt32() & Vector256.Create(Fp32Infinity);
        var quiet = Vector256.GreaterThan(magnitude.AsInt32(), Vector256.Create((int)Fp16Infinity)).AsUInt32() & Vector256.Create(Fp32Quiet);
        return (value.AsUInt32() | infinite | quiet | ((codes ^ magnitude) << 16)).AsSingle();
    }
}

/// <summary>bfloat16: the upper half of an FP32 number.</summary>
internal readonly struct Bf16Lanes : IHalfWidth
{
    public static ushort Infinity => 0x7F80;

    public static ushort Encode(float value) => Bf16.FromSingle(value);

    public static float Decode(ushort code) => Bf16.ToSingle(code);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> Encode(Vector256<float> values)
    {
        var bits = values.AsUInt32();
        var upper = bits >>> 16;
        var rounded = (bits + Vector256.Create(0x7FFFu) + (upper & Vector256.Create(1u))) >>> 16;
        return Vector256.ConditionalSelect(Vector256.Equals(values, values).AsUInt32(), rounded, upper | Vector256.Create(0x0040u));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Decode(Vector256<uint> codes) => (codes << 16).AsSingle();
}

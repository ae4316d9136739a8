using System.Runtime.Intrinsics;

namespace Plimsoll.Numerics.Codecs;

/// <summary>Casts between FP32 and one floating-point layout of 8 bits, sixteen numbers at a time.</summary>
/// <remarks>
/// Decoding: the code's exponent and mantissa are moved to their places in an FP32 number, which is too small by the factor 2^(127 − bias), subnormal codes
/// included; one exact multiplication puts it right. Encoding: what will be normal gets half a unit less one plus its lowest kept bit and is cut off (ties to
/// even); what will be subnormal is added to a power of two whose last place is the layout's smallest step, so that the addition rounds. The results equal
/// <see cref="FloatLayout"/>'s, at every width; the payload of a NaN is lost.
/// </remarks>
internal readonly struct EightBitKernel
{
    private const uint SingleMagnitude = 0x7FFF_FFFF;
    private const uint SingleInfinity = 0x7F80_0000;
    private const int SingleMantissaBits = 23;
    private const int SingleBias = 127;

    private readonly int shift;
    private readonly uint magnitudeMask;
    private readonly int signShift;
    private readonly float scale;
    private readonly uint firstSpecial;
    private readonly uint specialBits;
    private readonly uint negativeZeroBits;
    private readonly uint rebias;
    private readonly uint minNormal;
    private readonly float subnormalStep;
    private readonly uint maxFinite;
    private readonly uint overflowCode;
    private readonly uint nanCode;
    private readonly bool hasNegativeZero;

    private EightBitKernel(FloatLayout layout, FloatOverflow overflow)
    {
        shift = SingleMantissaBits - layout.MantissaBits;
        magnitudeMask = (1u << (layout.Bits - 1)) - 1;
        signShift = 32 - layout.Bits;
        scale = MathF.ScaleB(1, SingleBias - layout.Bias);
        firstSpecial = (uint)layout.MaxFiniteCode + 1;
        // OR makes an exponent of ones: with the mantissa of infinity it stays infinity, every other special code is NaN.
        specialBits = layout.Specials == FloatSpecials.InfinityAndNan ? SingleInfinity : SingleMagnitude;
        hasNegativeZero = layout.Specials != FloatSpecials.NanAsNegativeZero;
        negativeZeroBits = hasNegativeZero ? 0 : SingleMagnitude;
        rebias = unchecked((uint)(layout.Bias - SingleBias) << SingleMantissaBits);
        minNormal = BitConverter.SingleToUInt32Bits((float)layout.MinNormal);
        subnormalStep = (float)Math.ScaleB(layout.MinSubnormal, SingleMantissaBits);
        maxFinite = (uint)layout.MaxFiniteCode;
        overflowCode = (uint)layout.Encode(double.PositiveInfinity, overflow);
        nanCode = (uint)layout.Encode(double.NaN) & (hasNegativeZero ? magnitudeMask : uint.MaxValue);
    }

    /// <exception cref="ArgumentException">The layout has not 8 bits.</exception>
    public static EightBitKernel Of(FloatLayout layout, FloatOverflow overflow = FloatOverflow.Cast) => layout.Bits == 8
        ? new(layout, overflow)
        : throw new ArgumentException($"a layout of {layout.Bits} bits where codes have 8", nameof(layout));

    public void Decode(Vector256<ushort> codes, Span<float> values)
    {
        var (low, high) = Vector256.Widen(codes);
        Decode(low).CopyTo(values);
        Decode(high).CopyTo(values[Vector256<float>.Count..]);
    }

    private Vector256<float> Decode(Vector256<uint> codes)
    {
        var magnitude = codes & Vector256.Create(magnitudeMask);
        var sign = Vector256.ShiftLeft(codes ^ magnitude, signShift);
        var finite = (Vector256.ShiftLeft(magnitude, shift).AsSingle() * scale).AsUInt32();
        var special = Vector256.GreaterThanOrEqual(magnitude, Vector256.Create(firstSpecial));
        var result = sign | finite | (special & Vector256.Create(specialBits));
        if (!hasNegativeZero)
            result |= Vector256.Equals(codes, Vector256.Create(magnitudeMask + 1)) & Vector256.Create(negativeZeroBits);
        return result.AsSingle();
    }

    public Vector256<ushort> Encode(ReadOnlySpan<float> values) =>
        Vector256.Narrow(Encode(Vector256.Create(values)), Encode(Vector256.Create(values[Vector256<float>.Count..])));

    private Vector256<uint> Encode(Vector256<float> values)
    {
        var bits = values.AsUInt32();
        var magnitude = bits & Vector256.Create(SingleMagnitude);
        var lowest = Vector256.ShiftRightLogical(magnitude, shift) & Vector256<uint>.One;
        var normal = Vector256.ShiftRightLogical(magnitude + Vector256.Create(rebias + (1u << (shift - 1)) - 1) + lowest, shift);
        var subnormal = (magnitude.AsSingle() + Vector256.Create(subnormalStep)).AsUInt32() - Vector256.Create(BitConverter.SingleToUInt32Bits(subnormalStep));
        var code = Vector256.ConditionalSelect(Vector256.LessThan(magnitude, Vector256.Create(minNormal)), subnormal, normal);
        code = Vector256.ConditionalSelect(Vector256.GreaterThan(code, Vector256.Create(maxFinite)), Vector256.Create(overflowCode), code);
        code = Vector256.ConditionalSelect(Vector256.GreaterThan(magnitude, Vector256.Create(SingleInfinity)), Vector256.Create(nanCode), code);
        var sign = Vector256.ShiftRightLogical(bits, signShift) & Vector256.Create(magnitudeMask + 1);
        return hasNegativeZero ? code | sign : code | (sign & ~Vector256.Equals(code, Vector256<uint>.Zero));
    }
}

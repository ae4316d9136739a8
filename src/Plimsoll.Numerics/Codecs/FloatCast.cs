using System.Runtime.Intrinsics;

namespace Plimsoll.Numerics.Codecs;

/// <summary>Casts between FP32 and the floating-point layouts of 8 and 16 bits, many numbers at a time.</summary>
/// <remarks>
/// Decoding: the code's exponent and mantissa are moved to their places in an FP32 number, which is too small by the factor 2^(127 − bias), subnormal codes
/// included; one exact multiplication puts it right. Encoding: what will be normal gets half a unit less one plus its lowest kept bit and is cut off (ties to
/// even); what will be subnormal is added to a power of two whose last place is the layout's smallest step, so that the addition rounds. The results equal
/// <see cref="FloatLayout"/>'s, at every width; the payload of a NaN is lost.
/// </remarks>
public static class FloatCast
{
    private const uint SingleMagnitude = 0x7FFF_FFFF;
    private const uint SingleInfinity = 0x7F80_0000;
    private const int SingleMantissaBits = 23;
    private const int SingleBias = 127;

    /// <summary>Decodes codes of 8 bits.</summary>
    /// <exception cref="ArgumentException">The layout has not 8 bits, or the lengths differ.</exception>
    public static void Decode(FloatLayout layout, ReadOnlySpan<byte> codes, Span<float> values)
    {
        var kernel = Kernel.Of(layout, 8);
        CheckLengths(codes.Length, values.Length);
        var at = 0;
        if (Vector256.IsHardwareAccelerated)
        {
            for (; at <= codes.Length - Vector256<byte>.Count; at += Vector256<byte>.Count)
            {
                var (low, high) = Vector256.Widen(Vector256.Create(codes[at..]));
                kernel.Decode(low, values[at..]);
                kernel.Decode(high, values[(at + Vector256<ushort>.Count)..]);
            }
        }
        for (; at < codes.Length; at++)
            values[at] = (float)layout.Decode(codes[at]);
    }

    /// <summary>Decodes codes of 16 bits.</summary>
    /// <inheritdoc cref="Decode(FloatLayout, ReadOnlySpan{byte}, Span{float})" path="/exception"/>
    public static void Decode(FloatLayout layout, ReadOnlySpan<ushort> codes, Span<float> values)
    {
        var kernel = Kernel.Of(layout, 16);
        CheckLengths(codes.Length, values.Length);
        var at = 0;
        if (Vector256.IsHardwareAccelerated)
        {
            for (; at <= codes.Length - Vector256<ushort>.Count; at += Vector256<ushort>.Count)
                kernel.Decode(Vector256.Create(codes[at..]), values[at..]);
        }
        for (; at < codes.Length; at++)
            values[at] = (float)layout.Decode(codes[at]);
    }

    /// <summary>Encodes to codes of 8 bits, ties to even.</summary>
    /// <inheritdoc cref="Decode(FloatLayout, ReadOnlySpan{byte}, Span{float})" path="/exception"/>
    public static void Encode(FloatLayout layout, ReadOnlySpan<float> values, Span<byte> codes, FloatOverflow overflow = FloatOverflow.Cast)
    {
        var kernel = Kernel.Of(layout, 8, overflow);
        CheckLengths(codes.Length, values.Length);
        var at = 0;
        if (Vector256.IsHardwareAccelerated)
        {
            for (; at <= values.Length - Vector256<byte>.Count; at += Vector256<byte>.Count)
                Vector256.Narrow(kernel.Encode(values[at..]), kernel.Encode(values[(at + Vector256<ushort>.Count)..])).CopyTo(codes[at..]);
        }
        for (; at < values.Length; at++)
            codes[at] = (byte)layout.Encode(values[at], overflow);
    }

    /// <summary>Encodes to codes of 16 bits, ties to even.</summary>
    /// <inheritdoc cref="Decode(FloatLayout, ReadOnlySpan{byte}, Span{float})" path="/exception"/>
    public static void Encode(FloatLayout layout, ReadOnlySpan<float> values, Span<ushort> codes, FloatOverflow overflow = FloatOverflow.Cast)
    {
        var kernel = Kernel.Of(layout, 16, overflow);
        CheckLengths(codes.Length, values.Length);
        var at = 0;
        if (Vector256.IsHardwareAccelerated)
        {
            for (; at <= values.Length - Vector256<ushort>.Count; at += Vector256<ushort>.Count)
                kernel.Encode(values[at..]).CopyTo(codes[at..]);
        }
        for (; at < values.Length; at++)
            codes[at] = (ushort)layout.Encode(values[at], overflow);
    }

    private static void CheckLengths(int codes, int values)
    {
        if (codes != values)
            throw new ArgumentException($"{codes} codes for {values} values", nameof(values));
    }

    /// <summary>The constants of one layout and direction, and the two loops' bodies for sixteen numbers.</summary>
    private readonly struct Kernel
    {
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

        private Kernel(FloatLayout layout, FloatOverflow overflow)
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

        public static Kernel Of(FloatLayout layout, int bits, FloatOverflow overflow = FloatOverflow.Cast) => layout.Bits == bits
            ? new(layout, overflow)
            : throw new ArgumentException($"a layout of {layout.Bits} bits where codes have {bits}", nameof(layout));

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
}

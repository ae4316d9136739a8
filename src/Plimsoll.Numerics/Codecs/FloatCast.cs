using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Plimsoll.Numerics.Codecs;

/// <summary>Casts of whole spans between FP32 and the floating-point layouts of 8 and 16 bits, many numbers at a time.</summary>
/// <remarks>
/// 8 bits: the codes and values of the <see cref="FloatLayout"/>. 16 bits: those of <see cref="Fp16"/> and <see cref="Bf16"/>, where a NaN becomes quiet and keeps
/// its sign and the upper bits of its payload, as the conversion instructions of processors do it.
/// </remarks>
public static class FloatCast
{
    private const ushort HalfMagnitude = 0x7FFF;

    /// <summary>To the nearest FP16 codes, ties to even.</summary>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static void ToFp16(ReadOnlySpan<float> values, Span<ushort> codes, FloatOverflow overflow = FloatOverflow.Cast) =>
        Encode<Fp16Lanes>(values, codes, overflow);

    /// <summary>To the nearest BF16 codes, ties to even.</summary>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static void ToBf16(ReadOnlySpan<float> values, Span<ushort> codes, FloatOverflow overflow = FloatOverflow.Cast) =>
        Encode<Bf16Lanes>(values, codes, overflow);

    /// <summary>The values of FP16 codes, exact.</summary>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static void FromFp16(ReadOnlySpan<ushort> codes, Span<float> values) => Decode<Fp16Lanes>(codes, values);

    /// <summary>The values of BF16 codes, exact.</summary>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static void FromBf16(ReadOnlySpan<ushort> codes, Span<float> values) => Decode<Bf16Lanes>(codes, values);

    /// <summary>Decodes codes of 8 bits.</summary>
    /// <exception cref="ArgumentException">The layout has not 8 bits, or the lengths differ.</exception>
    public static void Decode(FloatLayout layout, ReadOnlySpan<byte> codes, Span<float> values)
    {
        var kernel = EightBitKernel.Of(layout);
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

    /// <summary>Encodes to codes of 8 bits, ties to even.</summary>
    /// <inheritdoc cref="Decode" path="/exception"/>
    public static void Encode(FloatLayout layout, ReadOnlySpan<float> values, Span<byte> codes, FloatOverflow overflow = FloatOverflow.Cast)
    {
        var kernel = EightBitKernel.Of(layout, overflow);
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

    private static void Encode<TFormat>(ReadOnlySpan<float> values, Span<ushort> codes, FloatOverflow overflow) where TFormat : IHalfWidth
    {
        CheckLengths(codes.Length, values.Length);
        var saturate = overflow == FloatOverflow.Saturate;
        var i = 0;
        if (Vector256.IsHardwareAccelerated)
        {
            ref var source = ref MemoryMarshal.GetReference(values);
            ref var target = ref MemoryMarshal.GetReference(codes);
            for (; i <= values.Length - 16; i += 16)
            {
                var low = TFormat.Encode(Vector256.LoadUnsafe(ref source, (nuint)i));
                var high = TFormat.Encode(Vector256.LoadUnsafe(ref source, (nuint)i + 8));
                var packed = Vector256.Narrow(low, high);
                if (saturate)
                    packed += Vector256.Equals(packed & Vector256.Create(HalfMagnitude), Vector256.Create(TFormat.Infinity));
                packed.StoreUnsafe(ref target, (nuint)i);
            }
        }
        for (; i < values.Length; i++)
        {
            var code = TFormat.Encode(values[i]);
            codes[i] = saturate && (code & HalfMagnitude) == TFormat.Infinity ? (ushort)(code - 1) : code;
        }
    }

    private static void Decode<TFormat>(ReadOnlySpan<ushort> codes, Span<float> values) where TFormat : IHalfWidth
    {
        CheckLengths(codes.Length, values.Length);
        var i = 0;
        if (Vector256.IsHardwareAccelerated)
        {
            ref var source = ref MemoryMarshal.GetReference(codes);
            ref var target = ref MemoryMarshal.GetReference(values);
            for (; i <= values.Length - 16; i += 16)
            {
                var (low, high) = Vector256.Widen(Vector256.LoadUnsafe(ref source, (nuint)i));
                TFormat.Decode(low).StoreUnsafe(ref target, (nuint)i);
                TFormat.Decode(high).StoreUnsafe(ref target, (nuint)i + 8);
            }
        }
        for (; i < values.Length; i++)
            values[i] = TFormat.Decode(codes[i]);
    }

    private static void CheckLengths(int codes, int values)
    {
        if (codes != values)
            throw new ArgumentException($"{codes} codes for {values} values", nameof(values));
    }
}

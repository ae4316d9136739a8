using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Plimsoll.Numerics.Blocks.Lanes;

/// <summary>Sixteen floats in 512 bits (AVX-512).</summary>
internal readonly unsafe struct Lanes16 : ICodeLanes<Lanes16>
{
    private readonly Vector512<float> value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Lanes16(Vector512<float> value) => this.value = value;

    public static int Count => 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 Create(float value) => new(Vector512.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 FromBytes(ref readonly byte source)
    {
        var bytes = Vector128.LoadUnsafe(in source);
        return new(Vector512.ConvertToSingle(Avx512F.IsSupported
            ? Avx512F.ConvertToVector512Int32(bytes)
            : Vector512.WidenLower(Vector256.WidenLower(bytes.ToVector256()).ToVector512()).AsInt32()));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 FromSBytes(ref readonly sbyte source)
    {
        var bytes = Vector128.LoadUnsafe(in source);
        return new(Vector512.ConvertToSingle(Avx512F.IsSupported
            ? Avx512F.ConvertToVector512Int32(bytes)
            : Vector512.WidenLower(Vector256.WidenLower(bytes.ToVector256()).ToVector512())));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBytes(Lanes16 value, ref byte target) => Store(Vector512.ConvertToInt32Native(value.value), ref target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreNibbles(Lanes16 low, Lanes16 high, ref byte target) =>
        Store(Vector512.ConvertToInt32Native(low.value) | Vector512.ConvertToInt32Native(high.value) << 4, ref target);

    /// <summary>The low byte of each word.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector512<int> words, ref byte target)
    {
        if (Avx512F.IsSupported)
        {
            Avx512F.ConvertToVector128Byte(words).StoreUnsafe(ref target);
            return;
        }
        var shorts = Vector256.Narrow(words.GetLower(), words.GetUpper());
        Vector128.Narrow(shorts.GetLower(), shorts.GetUpper()).AsByte().StoreUnsafe(ref target);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 Min(Lanes16 a, Lanes16 b) => new(Avx512F.IsSupported ? Avx512F.Min(a.value, b.value) : Vector512.ConditionalSelect(Vector512.LessThan(a.value, b.value), a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 Max(Lanes16 a, Lanes16 b) => new(Avx512F.IsSupported ? Avx512F.Max(a.value, b.value) : Vector512.ConditionalSelect(Vector512.GreaterThan(a.value, b.value), a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 Abs(Lanes16 value) => new(Vector512.Abs(value.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 Sqrt(Lanes16 value) => new(Vector512.Sqrt(value.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 GreaterThan(Lanes16 a, Lanes16 b) => new(Vector512.GreaterThan(a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 Equal(Lanes16 a, Lanes16 b) => new(Vector512.Equals(a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 NotEqual(Lanes16 a, Lanes16 b) => new(~Vector512.Equals(a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 Select(Lanes16 mask, Lanes16 yes, Lanes16 no) => new(Vector512.ConditionalSelect(mask.value, yes.value, no.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Bits(Lanes16 mask) => (uint)mask.value.ExtractMostSignificantBits();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Largest(Lanes16 value) => Lanes8.Largest(Lanes8.Max(new(value.value.GetLower()), new(value.value.GetUpper())));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 NearestInt(Lanes16 value)
    {
        var bits = (value.value + Vector512.Create(Rounding.Shift)).AsInt32();
        return new(Vector512.ConvertToSingle((bits & Vector512.Create(Rounding.MantissaMask)) - Vector512.Create(Rounding.ShiftMantissa)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 LoadCodes(ref readonly ushort source)
    {
        var words = Vector256.LoadUnsafe(in source);
        return new((Avx512F.IsSupported ? Avx512F.ConvertToVector512Int32(words) : Vector512.WidenLower(words.ToVector512()).AsInt32()).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreCodes(Lanes16 value, ref ushort target)
    {
        var words = Vector512.ConvertToInt32Native(value.value);
        (Avx512F.IsSupported ? Avx512F.ConvertToVector256UInt16(words) : Vector256.Narrow(words.GetLower(), words.GetUpper()).AsUInt16()).StoreUnsafe(ref target);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 ShiftRight(Lanes16 codes, int bits) => new((codes.value.AsUInt32() >> bits).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 Look4(float* table, Lanes16 codes) => new(Avx512F.IsSupported
        ? Avx512F.PermuteVar4x32(Avx512F.BroadcastVector128ToVector512(table), codes.value.AsInt32())
        : Vector512.Shuffle(Vector128.Load(table).ToVector256().ToVector512(), codes.value.AsInt32() & Vector512.Create(3)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 Look8(float* table, Lanes16 codes) => new(Avx512F.IsSupported
        ? Avx512F.PermuteVar16x32(Vector512.Create(Vector256.Load(table), Vector256.Load(table)), codes.value.AsInt32())
        : Vector512.Shuffle(Vector256.Load(table).ToVector512(), codes.value.AsInt32() & Vector512.Create(7)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 operator +(Lanes16 a, Lanes16 b) => new(a.value + b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 operator -(Lanes16 a, Lanes16 b) => new(a.value - b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 operator *(Lanes16 a, Lanes16 b) => new(a.value * b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 operator /(Lanes16 a, Lanes16 b) => new(a.value / b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 operator &(Lanes16 a, Lanes16 b) => new(a.value & b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 operator |(Lanes16 a, Lanes16 b) => new(a.value | b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 operator ^(Lanes16 a, Lanes16 b) => new(a.value ^ b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 operator ~(Lanes16 a) => new(~a.value);
}

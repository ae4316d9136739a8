using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Plimsoll.Numerics.Blocks.Lanes;

/// <summary>Eight floats in 256 bits (AVX2).</summary>
internal readonly unsafe struct Lanes8 : ICodeLanes<Lanes8>
{
    private readonly Vector256<float> value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal Lanes8(Vector256<float> value) => this.value = value;

    public static int Count => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 Create(float value) => new(Vector256.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 FromBytes(ref readonly byte source)
    {
        var bytes = Vector128.CreateScalar(Unsafe.ReadUnaligned<ulong>(in source)).AsByte();
        return new(Vector256.ConvertToSingle(Avx2.IsSupported
            ? Avx2.ConvertToVector256Int32(bytes)
            : Vector256.WidenLower(Vector128.WidenLower(bytes).ToVector256()).AsInt32()));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 FromSBytes(ref readonly sbyte source)
    {
        var bytes = Vector128.CreateScalar(Unsafe.ReadUnaligned<ulong>(in Unsafe.As<sbyte, byte>(ref Unsafe.AsRef(in source)))).AsSByte();
        return new(Vector256.ConvertToSingle(Avx2.IsSupported
            ? Avx2.ConvertToVector256Int32(bytes)
            : Vector256.WidenLower(Vector128.WidenLower(bytes).ToVector256())));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBytes(Lanes8 value, ref byte target) => Store(Vector256.ConvertToInt32Native(value.value), ref target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreNibbles(Lanes8 low, Lanes8 high, ref byte target) =>
        Store(Vector256.ConvertToInt32Native(low.value) | Vector256.ConvertToInt32Native(high.value) << 4, ref target);

    /// <summary>The low byte of each word.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector256<int> words, ref byte target)
    {
        Vector128<byte> bytes;
        if (Sse41.IsSupported)
        {
            var small = words & Vector256.Create(0xFF);
            var shorts = Sse41.PackUnsignedSaturate(small.GetLower(), small.GetUpper()).AsInt16();
            bytes = Sse2.PackUnsignedSaturate(shorts, shorts);
        }
        else
        {
            var shorts = Vector128.Narrow(words.GetLower(), words.GetUpper());
            bytes = Vector128.Narrow(shorts, shorts).AsByte();
        }
        Unsafe.WriteUnaligned(ref target, bytes.AsUInt64().ToScalar());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 Min(Lanes8 a, Lanes8 b) => new(Avx.IsSupported ? Avx.Min(a.value, b.value) : Vector256.ConditionalSelect(Vector256.LessThan(a.value, b.value), a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 Max(Lanes8 a, Lanes8 b) => new(Avx.IsSupported ? Avx.Max(a.value, b.value) : Vector256.ConditionalSelect(Vector256.GreaterThan(a.value, b.value), a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 Abs(Lanes8 value) => new(Vector256.Abs(value.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 Sqrt(Lanes8 value) => new(Vector256.Sqrt(value.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 GreaterThan(Lanes8 a, Lanes8 b) => new(Vector256.GreaterThan(a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 Equal(Lanes8 a, Lanes8 b) => new(Vector256.Equals(a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 NotEqual(Lanes8 a, Lanes8 b) => new(~Vector256.Equals(a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 Select(Lanes8 mask, Lanes8 yes, Lanes8 no) =>
        new(Avx.IsSupported ? Avx.BlendVariable(no.value, yes.value, mask.value) : Vector256.ConditionalSelect(mask.value, yes.value, no.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Bits(Lanes8 mask) => mask.value.ExtractMostSignificantBits();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Largest(Lanes8 value)
    {
        var four = Vector128.MaxNative(value.value.GetLower(), value.value.GetUpper());
        var two = Vector128.MaxNative(four, Vector128.Shuffle(four, Vector128.Create(2, 3, 0, 1)));
        return Vector128.MaxNative(two, Vector128.Shuffle(two, Vector128.Create(1, 0, 3, 2))).ToScalar();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 NearestInt(Lanes8 value)
    {
        var bits = (value.value + Vector256.Create(Rounding.Shift)).AsInt32();
        return new(Vector256.ConvertToSingle((bits & Vector256.Create(Rounding.MantissaMask)) - Vector256.Create(Rounding.ShiftMantissa)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 LoadCodes(ref readonly ushort source)
    {
        var words = Unsafe.ReadUnaligned<Vector128<ushort>>(in Unsafe.As<ushort, byte>(ref Unsafe.AsRef(in source)));
        return new((Avx2.IsSupported ? Avx2.ConvertToVector256Int32(words) : Vector256.WidenLower(words.ToVector256()).AsInt32()).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreCodes(Lanes8 value, ref ushort target)
    {
        var words = Vector256.ConvertToInt32Native(value.value);
        Vector128.Narrow(words.GetLower(), words.GetUpper()).AsUInt16().StoreUnsafe(ref target);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 ShiftRight(Lanes8 codes, int bits) => new((codes.value.AsUInt32() >> bits).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 Look4(float* table, Lanes8 codes) => new(Avx.IsSupported
        ? Avx.PermuteVar(Avx.BroadcastVector128ToVector256(table), codes.value.AsInt32())
        : Vector256.Shuffle(Vector128.Load(table).ToVector256(), codes.value.AsInt32() & Vector256.Create(3)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 Look8(float* table, Lanes8 codes) => new(Avx2.IsSupported
        ? Avx2.PermuteVar8x32(Vector256.Load(table), codes.value.AsInt32())
        : Vector256.Shuffle(Vector256.Load(table), codes.value.AsInt32() & Vector256.Create(7)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 operator +(Lanes8 a, Lanes8 b) => new(a.value + b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 operator -(Lanes8 a, Lanes8 b) => new(a.value - b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 operator *(Lanes8 a, Lanes8 b) => new(a.value * b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 operator /(Lanes8 a, Lanes8 b) => new(a.value / b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 operator &(Lanes8 a, Lanes8 b) => new(a.value & b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 operator |(Lanes8 a, Lanes8 b) => new(a.value | b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 operator ^(Lanes8 a, Lanes8 b) => new(a.value ^ b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 operator ~(Lanes8 a) => new(~a.value);
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Plimsoll.Numerics.Linear.Simd;

/// <summary>8 rows; one instruction multiplies unsigned codes with signed bytes and sums quads in 32 bits.</summary>
internal readonly unsafe struct UnsignedDotVnni : IDotLanes<Vector256<byte>, Vector256<int>, Vector256<float>>
{
    public static bool TakesWords => false;

    public static int Offset => 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Load(byte* codes) => Vector256.Load(codes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector256<byte> codes, byte* target) => UnsignedDot256.Store(codes, target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> LoadField(byte* source, int shift, byte mask) => UnsignedDot256.LoadField(source, shift, mask);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> AddField(Vector256<byte> codes, byte* source, int shift, byte mask) => UnsignedDot256.AddField(codes, source, shift, mask);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Lookup(Vector128<byte> table, Vector256<byte> codes) => UnsignedDot256.Lookup(table, codes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Two(Vector256<byte> w0, Vector256<byte> w1, byte* quads)
    {
        var sums = AvxVnni.MultiplyWideningAndAdd(Vector256<int>.Zero, w0, Vector256.Create(((int*)quads)[0]).AsSByte());
        return AvxVnni.MultiplyWideningAndAdd(sums, w1, Vector256.Create(((int*)quads)[1]).AsSByte());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Four(Vector256<byte> w0, Vector256<byte> w1, Vector256<byte> w2, Vector256<byte> w3, byte* quads)
    {
        var sums = AvxVnni.MultiplyWideningAndAdd(Vector256<int>.Zero, w0, Vector256.Create(((int*)quads)[0]).AsSByte());
        sums = AvxVnni.MultiplyWideningAndAdd(sums, w1, Vector256.Create(((int*)quads)[1]).AsSByte());
        sums = AvxVnni.MultiplyWideningAndAdd(sums, w2, Vector256.Create(((int*)quads)[2]).AsSByte());
        return AvxVnni.MultiplyWideningAndAdd(sums, w3, Vector256.Create(((int*)quads)[3]).AsSByte());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Add(Vector256<int> a, Vector256<int> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> ToFloats(Vector256<int> sums) => Vector256.ConvertToSingle(sums);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> ToFloats(Vector256<int> a, Vector256<int> b) => Vector256.ConvertToSingle(a + b);
}

/// <summary>8 rows; signed codes become unsigned by adding 128, which flips their top bit.</summary>
internal readonly unsafe struct SignedDotVnni : IDotLanes<Vector256<byte>, Vector256<int>, Vector256<float>>
{
    public static bool TakesWords => false;

    public static int Offset => 128;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Load(byte* codes) => Vector256.Load(codes) ^ Vector256.Create((byte)0x80);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector256<byte> codes, byte* target) => UnsignedDot256.Store(codes ^ Vector256.Create((byte)0x80), target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> LoadField(byte* source, int shift, byte mask) => UnsignedDot256.LoadField(source, shift, mask);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> AddField(Vector256<byte> codes, byte* source, int shift, byte mask) => UnsignedDot256.AddField(codes, source, shift, mask);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Lookup(Vector128<byte> table, Vector256<byte> codes) => UnsignedDot256.Lookup(table ^ Vector128.Create((byte)0x80), codes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Two(Vector256<byte> w0, Vector256<byte> w1, byte* quads) => UnsignedDotVnni.Two(w0, w1, quads);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Four(Vector256<byte> w0, Vector256<byte> w1, Vector256<byte> w2, Vector256<byte> w3, byte* quads) => UnsignedDotVnni.Four(w0, w1, w2, w3, quads);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Add(Vector256<int> a, Vector256<int> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> ToFloats(Vector256<int> sums) => Vector256.ConvertToSingle(sums);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> ToFloats(Vector256<int> a, Vector256<int> b) => Vector256.ConvertToSingle(a + b);
}

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
    public static Vector256<int> Multiply(Vector256<byte> codes, byte* quad) => MultiplyAdd(Vector256<int>.Zero, codes, quad);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> MultiplyAdd(Vector256<int> sums, Vector256<byte> codes, byte* quad) =>
        AvxVnni.MultiplyWideningAndAdd(sums, codes, Vector256.Create(*(int*)quad).AsSByte());

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
    public static Vector256<int> Multiply(Vector256<byte> codes, byte* quad) => UnsignedDotVnni.Multiply(codes, quad);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> MultiplyAdd(Vector256<int> sums, Vector256<byte> codes, byte* quad) => UnsignedDotVnni.MultiplyAdd(sums, codes, quad);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Add(Vector256<int> a, Vector256<int> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> ToFloats(Vector256<int> sums) => Vector256.ConvertToSingle(sums);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> ToFloats(Vector256<int> a, Vector256<int> b) => Vector256.ConvertToSingle(a + b);
}

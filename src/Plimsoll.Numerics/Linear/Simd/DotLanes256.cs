using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Plimsoll.Numerics.Linear.Simd;

/// <summary>8 rows; unsigned codes times signed bytes, pairs summed in 16 bits.</summary>
internal readonly unsafe struct UnsignedDot256 : IDotLanes<Vector256<byte>, Vector256<short>, Vector256<float>>
{
    public static bool TakesWords => false;

    public static int Offset => 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Load(byte* codes) => Vector256.Load(codes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<short> Multiply(Vector256<byte> codes, byte* quad) =>
        Avx2.MultiplyAddAdjacent(codes, Vector256.Create(*(int*)quad).AsSByte());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<short> MultiplyAdd(Vector256<short> sums, Vector256<byte> codes, byte* quad) => sums + Multiply(codes, quad);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<short> Add(Vector256<short> a, Vector256<short> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> ToFloats(Vector256<short> sums) =>
        Vector256.ConvertToSingle(Avx2.MultiplyAddAdjacent(sums, Vector256<short>.One));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> ToFloats(Vector256<short> a, Vector256<short> b) =>
        Vector256.ConvertToSingle(Avx2.MultiplyAddAdjacent(a, Vector256<short>.One) + Avx2.MultiplyAddAdjacent(b, Vector256<short>.One));
}

/// <summary>8 rows; signed codes, widened to 16 bits as in <see cref="SignedDot512"/>.</summary>
internal readonly unsafe struct SignedDot256 : IDotLanes<Vector256<byte>, Vector256<int>, Vector256<float>>
{
    public static bool TakesWords => true;

    public static int Offset => 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Load(byte* codes) => Vector256.Load(codes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Multiply(Vector256<byte> codes, byte* quad)
    {
        var even = Vector256.ShiftRightArithmetic(Vector256.ShiftLeft(codes.AsInt16(), 8), 8);
        var odd = Vector256.ShiftRightArithmetic(codes.AsInt16(), 8);
        return Avx2.MultiplyAddAdjacent(even, Vector256.Create(*(int*)quad).AsInt16())
            + Avx2.MultiplyAddAdjacent(odd, Vector256.Create(*(int*)(quad + 4)).AsInt16());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> MultiplyAdd(Vector256<int> sums, Vector256<byte> codes, byte* quad) => sums + Multiply(codes, quad);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Add(Vector256<int> a, Vector256<int> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> ToFloats(Vector256<int> sums) => Vector256.ConvertToSingle(sums);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> ToFloats(Vector256<int> a, Vector256<int> b) => Vector256.ConvertToSingle(a + b);
}

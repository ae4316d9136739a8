using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Plimsoll.Numerics.Linear.Simd;

/// <summary>16 rows; unsigned codes times signed bytes, pairs summed in 16 bits.</summary>
internal readonly unsafe struct UnsignedDot512 : IDotLanes<Vector512<byte>, Vector512<short>, Vector512<float>>
{
    public static bool TakesWords => false;

    public static int Offset => 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> Load(byte* codes) => Vector512.Load(codes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<short> Multiply(Vector512<byte> codes, byte* quad) =>
        Avx512BW.MultiplyAddAdjacent(codes, Vector512.Create(*(int*)quad).AsSByte());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<short> MultiplyAdd(Vector512<short> sums, Vector512<byte> codes, byte* quad) => sums + Multiply(codes, quad);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<short> Add(Vector512<short> a, Vector512<short> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> ToFloats(Vector512<short> sums) =>
        Vector512.ConvertToSingle(Avx512BW.MultiplyAddAdjacent(sums, Vector512<short>.One));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> ToFloats(Vector512<short> a, Vector512<short> b) =>
        Vector512.ConvertToSingle(Avx512BW.MultiplyAddAdjacent(a, Vector512<short>.One) + Avx512BW.MultiplyAddAdjacent(b, Vector512<short>.One));
}

/// <summary>16 rows; signed codes, widened to 16 bits: columns 0 and 2 of each quad by shifting left and back, columns 1 and 3 by shifting right.</summary>
internal readonly unsafe struct SignedDot512 : IDotLanes<Vector512<byte>, Vector512<int>, Vector512<float>>
{
    public static bool TakesWords => true;

    public static int Offset => 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> Load(byte* codes) => Vector512.Load(codes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Multiply(Vector512<byte> codes, byte* quad)
    {
        var even = Vector512.ShiftRightArithmetic(Vector512.ShiftLeft(codes.AsInt16(), 8), 8);
        var odd = Vector512.ShiftRightArithmetic(codes.AsInt16(), 8);
        return Avx512BW.MultiplyAddAdjacent(even, Vector512.Create(*(int*)quad).AsInt16())
            + Avx512BW.MultiplyAddAdjacent(odd, Vector512.Create(*(int*)(quad + 4)).AsInt16());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> MultiplyAdd(Vector512<int> sums, Vector512<byte> codes, byte* quad) => sums + Multiply(codes, quad);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Add(Vector512<int> a, Vector512<int> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> ToFloats(Vector512<int> sums) => Vector512.ConvertToSingle(sums);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> ToFloats(Vector512<int> a, Vector512<int> b) => Vector512.ConvertToSingle(a + b);
}

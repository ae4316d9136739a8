using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;

namespace Plimsoll.Numerics.Linear.Simd;

/// <summary>4 rows; <c>sdot</c> multiplies signed bytes and sums quads in 32 bits, and unsigned codes up to 127 are signed bytes too.</summary>
internal readonly unsafe struct DotNeon : IDotLanes<Vector128<sbyte>, Vector128<int>, Vector128<float>>
{
    public static bool TakesWords => false;

    public static int Offset => 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<sbyte> Load(byte* codes) => Vector128.Load((sbyte*)codes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Multiply(Vector128<sbyte> codes, byte* quad) => MultiplyAdd(Vector128<int>.Zero, codes, quad);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> MultiplyAdd(Vector128<int> sums, Vector128<sbyte> codes, byte* quad) =>
        Dp.DotProduct(sums, codes, Vector128.Create(*(int*)quad).AsSByte());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Add(Vector128<int> a, Vector128<int> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> ToFloats(Vector128<int> sums) => Vector128.ConvertToSingle(sums);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> ToFloats(Vector128<int> a, Vector128<int> b) => Vector128.ConvertToSingle(a + b);
}

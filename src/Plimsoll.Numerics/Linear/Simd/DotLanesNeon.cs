using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;

namespace Plimsoll.Numerics.Linear.Simd;

/// <summary>4 rows; <c>sdot</c> multiplies signed bytes and sums quads in 32 bits, and unsigned codes up to 127 are signed bytes too.</summary>
internal readonly unsafe struct DotNeon : IDotLanes<Vector128<byte>, Vector128<int>, Vector128<float>>
{
    public static bool TakesWords => false;

    public static int Offset => 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Load(byte* codes) => Vector128.Load(codes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector128<byte> codes, byte* target) => codes.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> LoadField(byte* source, int shift, byte mask) =>
        Vector128.ShiftRightLogical(Vector128.Load((ushort*)source), shift).AsByte() & Vector128.Create(mask);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> AddField(Vector128<byte> codes, byte* source, int shift, byte mask)
    {
        var bits = Vector128.Load((ushort*)source);
        return codes | ((shift < 0 ? Vector128.ShiftLeft(bits, -shift) : Vector128.ShiftRightLogical(bits, shift)).AsByte() & Vector128.Create(mask));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Lookup(Vector128<byte> table, Vector128<byte> codes) =>
        Vector128.Shuffle(table, codes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Two(Vector128<byte> w0, Vector128<byte> w1, byte* quads)
    {
        var sums = Dp.DotProduct(Vector128<int>.Zero, w0.AsSByte(), Vector128.Create(((int*)quads)[0]).AsSByte());
        return Dp.DotProduct(sums, w1.AsSByte(), Vector128.Create(((int*)quads)[1]).AsSByte());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Four(Vector128<byte> w0, Vector128<byte> w1, Vector128<byte> w2, Vector128<byte> w3, byte* quads)
    {
        var sums = Dp.DotProduct(Vector128<int>.Zero, w0.AsSByte(), Vector128.Create(((int*)quads)[0]).AsSByte());
        sums = Dp.DotProduct(sums, w1.AsSByte(), Vector128.Create(((int*)quads)[1]).AsSByte());
        sums = Dp.DotProduct(sums, w2.AsSByte(), Vector128.Create(((int*)quads)[2]).AsSByte());
        return Dp.DotProduct(sums, w3.AsSByte(), Vector128.Create(((int*)quads)[3]).AsSByte());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Add(Vector128<int> a, Vector128<int> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> ToFloats(Vector128<int> sums) => Vector128.ConvertToSingle(sums);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> ToFloats(Vector128<int> a, Vector128<int> b) => Vector128.ConvertToSingle(a + b);
}

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
    public static void Store(Vector256<byte> codes, byte* target) => codes.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> LoadField(byte* source, int shift, byte mask) =>
        Vector256.ShiftRightLogical(Vector256.Load((ushort*)source), shift).AsByte() & Vector256.Create(mask);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> AddField(Vector256<byte> codes, byte* source, int shift, byte mask)
    {
        var bits = Vector256.Load((ushort*)source);
        return codes | ((shift < 0 ? Vector256.ShiftLeft(bits, -shift) : Vector256.ShiftRightLogical(bits, shift)).AsByte() & Vector256.Create(mask));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Lookup(Vector128<byte> table, Vector256<byte> codes) =>
        Avx2.Shuffle(Vector256.Create(table, table), codes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<short> Two(Vector256<byte> w0, Vector256<byte> w1, byte* quads) =>
        Avx2.MultiplyAddAdjacent(w0, Vector256.Create(((int*)quads)[0]).AsSByte())
        + Avx2.MultiplyAddAdjacent(w1, Vector256.Create(((int*)quads)[1]).AsSByte());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<short> Four(Vector256<byte> w0, Vector256<byte> w1, Vector256<byte> w2, Vector256<byte> w3, byte* quads) =>
        Avx2.MultiplyAddAdjacent(w0, Vector256.Create(((int*)quads)[0]).AsSByte())
        + Avx2.MultiplyAddAdjacent(w1, Vector256.Create(((int*)quads)[1]).AsSByte())
        + Avx2.MultiplyAddAdjacent(w2, Vector256.Create(((int*)quads)[2]).AsSByte())
        + Avx2.MultiplyAddAdjacent(w3, Vector256.Create(((int*)quads)[3]).AsSByte());

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
    public static void Store(Vector256<byte> codes, byte* target) => UnsignedDot256.Store(codes, target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> LoadField(byte* source, int shift, byte mask) => UnsignedDot256.LoadField(source, shift, mask);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> AddField(Vector256<byte> codes, byte* source, int shift, byte mask) => UnsignedDot256.AddField(codes, source, shift, mask);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Lookup(Vector128<byte> table, Vector256<byte> codes) => UnsignedDot256.Lookup(table, codes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Two(Vector256<byte> w0, Vector256<byte> w1, byte* quads) =>
        Avx2.MultiplyAddAdjacent(Vector256.ShiftRightArithmetic(Vector256.ShiftLeft(w0.AsInt16(), 8), 8), Vector256.Create(((int*)quads)[0]).AsInt16())
        + Avx2.MultiplyAddAdjacent(Vector256.ShiftRightArithmetic(w0.AsInt16(), 8), Vector256.Create(((int*)quads)[1]).AsInt16())
        + Avx2.MultiplyAddAdjacent(Vector256.ShiftRightArithmetic(Vector256.ShiftLeft(w1.AsInt16(), 8), 8), Vector256.Create(((int*)quads)[2]).AsInt16())
        + Avx2.MultiplyAddAdjacent(Vector256.ShiftRightArithmetic(w1.AsInt16(), 8), Vector256.Create(((int*)quads)[3]).AsInt16());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Four(Vector256<byte> w0, Vector256<byte> w1, Vector256<byte> w2, Vector256<byte> w3, byte* quads) =>
        Avx2.MultiplyAddAdjacent(Vector256.ShiftRightArithmetic(Vector256.ShiftLeft(w0.AsInt16(), 8), 8), Vector256.Create(((int*)quads)[0]).AsInt16())
        + Avx2.MultiplyAddAdjacent(Vector256.ShiftRightArithmetic(w0.AsInt16(), 8), Vector256.Create(((int*)quads)[1]).AsInt16())
        + Avx2.MultiplyAddAdjacent(Vector256.ShiftRightArithmetic(Vector256.ShiftLeft(w1.AsInt16(), 8), 8), Vector256.Create(((int*)quads)[2]).AsInt16())
        + Avx2.MultiplyAddAdjacent(Vector256.ShiftRightArithmetic(w1.AsInt16(), 8), Vector256.Create(((int*)quads)[3]).AsInt16())
        + Avx2.MultiplyAddAdjacent(Vector256.ShiftRightArithmetic(Vector256.ShiftLeft(w2.AsInt16(), 8), 8), Vector256.Create(((int*)quads)[4]).AsInt16())
        + Avx2.MultiplyAddAdjacent(Vector256.ShiftRightArithmetic(w2.AsInt16(), 8), Vector256.Create(((int*)quads)[5]).AsInt16())
        + Avx2.MultiplyAddAdjacent(Vector256.ShiftRightArithmetic(Vector256.ShiftLeft(w3.AsInt16(), 8), 8), Vector256.Create(((int*)quads)[6]).AsInt16())
        + Avx2.MultiplyAddAdjacent(Vector256.ShiftRightArithmetic(w3.AsInt16(), 8), Vector256.Create(((int*)quads)[7]).AsInt16());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Add(Vector256<int> a, Vector256<int> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> ToFloats(Vector256<int> sums) => Vector256.ConvertToSingle(sums);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> ToFloats(Vector256<int> a, Vector256<int> b) => Vector256.ConvertToSingle(a + b);
}

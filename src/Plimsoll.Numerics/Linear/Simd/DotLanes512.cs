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
    public static void Store(Vector512<byte> codes, byte* target) => codes.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> LoadField(byte* source, int shift, byte mask) =>
        Vector512.ShiftRightLogical(Vector512.Load((ushort*)source), shift).AsByte() & Vector512.Create(mask);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> AddField(Vector512<byte> codes, byte* source, int shift, byte mask)
    {
        var bits = Vector512.Load((ushort*)source);
        return codes | ((shift < 0 ? Vector512.ShiftLeft(bits, -shift) : Vector512.ShiftRightLogical(bits, shift)).AsByte() & Vector512.Create(mask));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> Lookup(Vector128<byte> table, Vector512<byte> codes) =>
        Avx512BW.Shuffle(Vector512.Create(Vector256.Create(table, table), Vector256.Create(table, table)), codes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<short> Two(Vector512<byte> w0, Vector512<byte> w1, byte* quads) =>
        Avx512BW.MultiplyAddAdjacent(w0, Vector512.Create(((int*)quads)[0]).AsSByte())
        + Avx512BW.MultiplyAddAdjacent(w1, Vector512.Create(((int*)quads)[1]).AsSByte());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<short> Four(Vector512<byte> w0, Vector512<byte> w1, Vector512<byte> w2, Vector512<byte> w3, byte* quads) =>
        Avx512BW.MultiplyAddAdjacent(w0, Vector512.Create(((int*)quads)[0]).AsSByte())
        + Avx512BW.MultiplyAddAdjacent(w1, Vector512.Create(((int*)quads)[1]).AsSByte())
        + Avx512BW.MultiplyAddAdjacent(w2, Vector512.Create(((int*)quads)[2]).AsSByte())
        + Avx512BW.MultiplyAddAdjacent(w3, Vector512.Create(((int*)quads)[3]).AsSByte());

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
    public static void Store(Vector512<byte> codes, byte* target) => UnsignedDot512.Store(codes, target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> LoadField(byte* source, int shift, byte mask) => UnsignedDot512.LoadField(source, shift, mask);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> AddField(Vector512<byte> codes, byte* source, int shift, byte mask) => UnsignedDot512.AddField(codes, source, shift, mask);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> Lookup(Vector128<byte> table, Vector512<byte> codes) => UnsignedDot512.Lookup(table, codes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Two(Vector512<byte> w0, Vector512<byte> w1, byte* quads) =>
        Avx512BW.MultiplyAddAdjacent(Vector512.ShiftRightArithmetic(Vector512.ShiftLeft(w0.AsInt16(), 8), 8), Vector512.Create(((int*)quads)[0]).AsInt16())
        + Avx512BW.MultiplyAddAdjacent(Vector512.ShiftRightArithmetic(w0.AsInt16(), 8), Vector512.Create(((int*)quads)[1]).AsInt16())
        + Avx512BW.MultiplyAddAdjacent(Vector512.ShiftRightArithmetic(Vector512.ShiftLeft(w1.AsInt16(), 8), 8), Vector512.Create(((int*)quads)[2]).AsInt16())
        + Avx512BW.MultiplyAddAdjacent(Vector512.ShiftRightArithmetic(w1.AsInt16(), 8), Vector512.Create(((int*)quads)[3]).AsInt16());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Four(Vector512<byte> w0, Vector512<byte> w1, Vector512<byte> w2, Vector512<byte> w3, byte* quads) =>
        Avx512BW.MultiplyAddAdjacent(Vector512.ShiftRightArithmetic(Vector512.ShiftLeft(w0.AsInt16(), 8), 8), Vector512.Create(((int*)quads)[0]).AsInt16())
        + Avx512BW.MultiplyAddAdjacent(Vector512.ShiftRightArithmetic(w0.AsInt16(), 8), Vector512.Create(((int*)quads)[1]).AsInt16())
        + Avx512BW.MultiplyAddAdjacent(Vector512.ShiftRightArithmetic(Vector512.ShiftLeft(w1.AsInt16(), 8), 8), Vector512.Create(((int*)quads)[2]).AsInt16())
        + Avx512BW.MultiplyAddAdjacent(Vector512.ShiftRightArithmetic(w1.AsInt16(), 8), Vector512.Create(((int*)quads)[3]).AsInt16())
        + Avx512BW.MultiplyAddAdjacent(Vector512.ShiftRightArithmetic(Vector512.ShiftLeft(w2.AsInt16(), 8), 8), Vector512.Create(((int*)quads)[4]).AsInt16())
        + Avx512BW.MultiplyAddAdjacent(Vector512.ShiftRightArithmetic(w2.AsInt16(), 8), Vector512.Create(((int*)quads)[5]).AsInt16())
        + Avx512BW.MultiplyAddAdjacent(Vector512.ShiftRightArithmetic(Vector512.ShiftLeft(w3.AsInt16(), 8), 8), Vector512.Create(((int*)quads)[6]).AsInt16())
        + Avx512BW.MultiplyAddAdjacent(Vector512.ShiftRightArithmetic(w3.AsInt16(), 8), Vector512.Create(((int*)quads)[7]).AsInt16());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Add(Vector512<int> a, Vector512<int> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> ToFloats(Vector512<int> sums) => Vector512.ConvertToSingle(sums);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> ToFloats(Vector512<int> a, Vector512<int> b) => Vector512.ConvertToSingle(a + b);
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Plimsoll.Numerics.Linear.Integers;

/// <summary>Scales of 16 rows at once, from bytes to floats.</summary>
internal static unsafe class RowScales
{
    private const float HalfRebias = 5.192296858534828e33f; // 2^112, see HalfFloats

    /// <summary>FP16 numbers whose low bytes come first, then their high bytes.</summary>
    /// <param name="target">(16).</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Halves(byte* bytes, float* target)
    {
        if (Avx512F.IsSupported)
        {
            var codes = Avx512F.ConvertToVector512Int32(Vector128.Load(bytes)) | Vector512.ShiftLeft(Avx512F.ConvertToVector512Int32(Vector128.Load(bytes + 16)), 8);
            var number = Vector512.ShiftLeft(codes & Vector512.Create(0x7FFF), 13).AsSingle() * Vector512.Create(HalfRebias);
            (number.AsInt32() | Vector512.ShiftLeft(codes & Vector512.Create(0x8000), 16)).AsSingle().Store(target);
            return;
        }
        for (var row = 0; row < Panel.Rows; row += 8)
        {
            var codes = Widen(bytes + row) | Vector256.ShiftLeft(Widen(bytes + 16 + row), 8);
            var number = Vector256.ShiftLeft(codes & Vector256.Create(0x7FFF), 13).AsSingle() * Vector256.Create(HalfRebias);
            (number.AsInt32() | Vector256.ShiftLeft(codes & Vector256.Create(0x8000), 16)).AsSingle().Store(target + row);
        }
    }

    /// <summary>target = unsigned byte · scale.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Unsigned(Vector128<byte> bytes, float* scales, float* target)
    {
        if (Avx512F.IsSupported)
        {
            (Vector512.ConvertToSingle(Avx512F.ConvertToVector512Int32(bytes)) * Vector512.Load(scales)).Store(target);
            return;
        }
        var memory = stackalloc byte[Panel.Rows];
        bytes.Store(memory);
        for (var row = 0; row < Panel.Rows; row += 8)
            (Vector256.ConvertToSingle(Widen(memory + row)) * Vector256.Load(scales + row)).Store(target + row);
    }

    /// <summary>target = signed byte · scale.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Signed(Vector128<sbyte> bytes, float* scales, float* target)
    {
        if (Avx512F.IsSupported)
        {
            (Vector512.ConvertToSingle(Avx512F.ConvertToVector512Int32(bytes)) * Vector512.Load(scales)).Store(target);
            return;
        }
        // Signed bytes plus 128 are unsigned; the difference goes back as floats, exactly.
        var memory = stackalloc byte[Panel.Rows];
        (bytes.AsByte() ^ Vector128.Create((byte)0x80)).Store(memory);
        for (var row = 0; row < Panel.Rows; row += 8)
            (Vector256.ConvertToSingle(Widen(memory + row) - Vector256.Create(128)) * Vector256.Load(scales + row)).Store(target + row);
    }

    /// <summary>target = factor · source.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Multiply(float* source, float factor, float* target)
    {
        if (Avx512F.IsSupported)
        {
            (Vector512.Load(source) * factor).Store(target);
            return;
        }
        for (var row = 0; row < Panel.Rows; row += 8)
            (Vector256.Load(source + row) * factor).Store(target + row);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Widen(byte* bytes)
    {
        if (Avx2.IsSupported)
            return Avx2.ConvertToVector256Int32(bytes);
        var words = Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(ulong*)bytes).AsByte());
        return Vector256.Create(Vector128.WidenLower(words), Vector128.WidenUpper(words)).AsInt32();
    }
}

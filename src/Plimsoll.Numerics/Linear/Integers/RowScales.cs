using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Plimsoll.Numerics.Linear.Integers;

/// <summary>Scales of 16 rows at once, from bytes to floats.</summary>
internal static unsafe class RowScales
{
    private const float HalfRebias = 5.192296858534828e33f; // 2^112, see HalfFloats

    /// <summary>Without the bits between sign and exponent of a number that has moved down by three.</summary>
    private const int SignAndNumber = unchecked((int)0x8FFF_E000);

    /// <summary>FP16 numbers whose low bytes come first, then their high bytes.</summary>
    /// <param name="target">(16).</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Halves(byte* bytes, float* target)
    {
        if (Avx512Vbmi.IsSupported)
        {
            // One permutation brings the bytes of each number into the upper half of a lane; what lies behind them is zero.
            var pairs = Avx512Vbmi.PermuteVar64x8(Vector256.Load(bytes).ToVector512(), UpperHalves);
            Single(pairs.AsInt32()).Store(target);
            return;
        }
        for (var row = 0; row < Panel.Rows; row += 8)
            Single(Vector256.ShiftLeft(Widen(bytes + row), 16) | Vector256.ShiftLeft(Widen(bytes + 16 + row), 24)).Store(target + row);
    }

    /// <summary>The number whose FP16 code is the upper half: exponent and mantissa move down by three bits, the copies of the sign behind it are cut off.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Single(Vector512<int> upper) =>
        (Vector512.ShiftRightArithmetic(upper, 3) & Vector512.Create(SignAndNumber)).AsSingle() * Vector512.Create(HalfRebias);

    /// <inheritdoc cref="Single(Vector512{int})"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Single(Vector256<int> upper) =>
        (Vector256.ShiftRightArithmetic(upper, 3) & Vector256.Create(SignAndNumber)).AsSingle() * Vector256.Create(HalfRebias);

    /// <summary>Per lane: twice a byte that is zero (the 64 bytes are 32 loaded ones and zeros), the low byte, the high byte.</summary>
    private static Vector512<byte> UpperHalves
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector512.Create(
            32, 32, 0, 16, 32, 32, 1, 17, 32, 32, 2, 18, 32, 32, 3, 19, 32, 32, 4, 20, 32, 32, 5, 21, 32, 32, 6, 22, 32, 32, 7, 23,
            32, 32, 8, 24, 32, 32, 9, 25, 32, 32, 10, 26, 32, 32, 11, 27, 32, 32, 12, 28, 32, 32, 13, 29, 32, 32, 14, 30, 32, 32, 15, (byte)31);
    }

    /// <summary>FP32 numbers of which the upper <paramref name="count"/> bytes are stored, lowest first, the others being zero: 2 for BF16, 4 for FP32.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Singles(byte* bytes, int count, float* target)
    {
        for (var row = 0; row < Panel.Rows; row += 8)
        {
            var bits = Vector256<int>.Zero;
            for (var at = 0; at < count; at++)
                bits |= Vector256.ShiftLeft(Widen(bytes + at * Panel.Rows + row), 8 * (sizeof(float) - count + at));
            bits.AsSingle().Store(target + row);
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

    /// <summary>Eight unsigned bytes as integers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Widen(byte* bytes)
    {
        if (Avx2.IsSupported)
            return Avx2.ConvertToVector256Int32(bytes);
        var words = Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(ulong*)bytes).AsByte());
        return Vector256.Create(Vector128.WidenLower(words), Vector128.WidenUpper(words)).AsInt32();
    }
}

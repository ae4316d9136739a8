using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Plimsoll.Numerics.Blocks.Lanes;

namespace Plimsoll.Numerics.Blocks.NonLinear;

/// <summary>The sixteen levels of IQ4_NL and IQ4_XS (kvalues_iq4nl of ggml-common.h), and the nearest of them.</summary>
internal static unsafe class NonLinearLevels
{
    public const float Lowest = -127;
    public const float Highest = 113;

    /// <summary>The levels by code.</summary>
    public static ReadOnlySpan<sbyte> Values => [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

    /// <summary>The same as floats.</summary>
    public static ReadOnlySpan<float> Floats => [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

    // The search asks four times whether x lies below a limit half way between two levels, so tables are indexed by the answers: from the top down.
    private static ReadOnlySpan<float> Limits4 => [79, 19, -28.5f, -93.5f];

    private static ReadOnlySpan<float> Limits8 => [101, 61, 31.5f, 7, -16, -42, -74, -115.5f];

    private static ReadOnlySpan<float> ValuesDown => [113, 89, 69, 53, 38, 25, 13, 1, -10, -22, -35, -49, -65, -83, -104, -127];

    private static ReadOnlySpan<float> CodesDown => [15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0];

    /// <summary>The nearest level, as its value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x) where T : unmanaged, ICodeLanes<T> => Look(x, Pointer(ValuesDown));

    /// <summary>The nearest level, as its code; of two equally near ones the higher, and 15 for NaN, as <c>best_index_int8</c> of ggml-quants.c.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Code<T>(T x) where T : unmanaged, ICodeLanes<T> => Look(x, Pointer(CodesDown));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Look<T>(T x, float* table) where T : unmanaged, ICodeLanes<T>
    {
        var (one, two, four) = (Bits<T>(1), Bits<T>(2), Bits<T>(4));
        var below8 = T.GreaterThan(T.Create(-4.5f), x);
        var below4 = T.GreaterThan(T.Select(below8, T.Create(-57), T.Create(45.5f)), x);
        var below2 = T.GreaterThan(T.Look4(Pointer(Limits4), below8 & two | below4 & one), x);
        var below1 = T.GreaterThan(T.Look8(Pointer(Limits8), below8 & four | below4 & two | below2 & one), x);
        var low = below4 & four | below2 & two | below1 & one;
        return T.Select(below8, T.Look8(table + 8, low), T.Look8(table, low));
    }

    /// <summary>An integer in the bits of every lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Bits<T>(int value) where T : unmanaged, ICodeLanes<T> => T.Create(BitConverter.Int32BitsToSingle(value));

    /// <summary>Constants lie in the program's image and do not move.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float* Pointer(ReadOnlySpan<float> constants) => (float*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(constants));
}

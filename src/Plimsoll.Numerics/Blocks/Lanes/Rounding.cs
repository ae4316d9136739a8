using System.Runtime.CompilerServices;

namespace Plimsoll.Numerics.Blocks.Lanes;

/// <summary>Rounding to integers by adding a number so large that only integers are left beside it.</summary>
internal static class Rounding
{
    /// <summary>1.5 · 2²³: what is added to it loses its fraction, to nearest, ties to even.</summary>
    public const float Shift = 12582912f;

    /// <summary>Half of the magnitude up to which <see cref="NearRounding"/> is right.</summary>
    public const float Limit = 2097152f;

    public const int MantissaMask = 0x007F_FFFF;
    public const int ShiftMantissa = 0x0040_0000;

    /// <summary>ggml's <c>nearest_int</c> for one float (ggml-quants.c).</summary>
    public static int NearestInt(float value) => (BitConverter.SingleToInt32Bits(value + Shift) & MantissaMask) - ShiftMantissa;

    /// <summary>C's <c>roundf</c>: to the nearest integer, ties away from zero, before the truncation of <see cref="ILanes{T}.StoreBytes"/>.</summary>
    /// <remarks>The float before 0.5: adding 0.5 itself would carry 0.49999997 over.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T AwayFromZero<T>(T value) where T : unmanaged, ILanes<T> => value + ((value & T.Create(-0f)) | T.Create(0.49999997f));
}

/// <summary>A way to round to the nearest integer, ties to even.</summary>
internal interface IRounding
{
    static abstract T Round<T>(T value) where T : unmanaged, ILanes<T>;
}

/// <summary>For magnitudes below 2²²: two operations less than <see cref="BitRounding"/>.</summary>
internal readonly struct NearRounding : IRounding
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Round<T>(T value) where T : unmanaged, ILanes<T> => value + T.Create(Rounding.Shift) - T.Create(Rounding.Shift);
}

/// <summary>For any value, with ggml's result where that is no rounding any more.</summary>
internal readonly struct BitRounding : IRounding
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Round<T>(T value) where T : unmanaged, ILanes<T> => T.NearestInt(value);
}

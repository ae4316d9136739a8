using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Plimsoll.Numerics.Blocks.Lanes;

/// <summary>The range of a block, an element per lane. Lengths are multiples of 16.</summary>
internal static class BlockRange
{
    /// <summary>The largest |x|.</summary>
    public static float Magnitude<T>(ReadOnlySpan<float> values) where T : unmanaged, ILanes<T> => Magnitude<T>(in MemoryMarshal.GetReference(values), values.Length);

    /// <summary>The largest |x| of <paramref name="length"/> elements from <paramref name="first"/> on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Magnitude<T>(ref readonly float first, int length) where T : unmanaged, ILanes<T>
    {
        var magnitude = T.Abs(Elements<T>.At(in first, 0));
        for (var i = T.Count; i < length; i += T.Count)
            magnitude = T.Max(T.Abs(Elements<T>.At(in first, i)), magnitude);
        return T.Largest(magnitude);
    }

    /// <summary>The element of largest magnitude among 32, with its sign; the first of several; +0 where all are zero.</summary>
    /// <remarks>No branch depends on where it is: that would be guessed wrong for most blocks.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float LargestMagnitude32<T>(ref readonly float first) where T : unmanaged, ILanes<T>
    {
        var magnitude = Magnitude<T>(in first, 32);
        if (magnitude == 0)
            return 0;
        var sought = T.Create(magnitude);
        var found = 0u;
        for (var i = 0; i < 32; i += T.Count)
            found |= T.Bits(T.Equal(T.Abs(Elements<T>.At(in first, i)), sought)) << i;
        return Unsafe.Add(ref Unsafe.AsRef(in first), BitOperations.TrailingZeroCount(found));
    }

    /// <summary>The smallest and the largest of 32 elements; of zeros of both signs the first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (float Min, float Max) MinMax32<T>(ref readonly float first) where T : unmanaged, ILanes<T>
    {
        var min = Elements<T>.At(in first, 0);
        var max = min;
        for (var i = T.Count; i < 32; i += T.Count)
        {
            var value = Elements<T>.At(in first, i);
            min = T.Min(value, min);
            max = T.Max(value, max);
        }
        var (smallest, largest) = (-T.Largest(T.Create(-0f) - min), T.Largest(max));
        return smallest == 0 || largest == 0 ? (FirstOf(smallest, in first), FirstOf(largest, in first)) : (smallest, largest);

        static float FirstOf(float value, ref readonly float first)
        {
            var values = MemoryMarshal.CreateReadOnlySpan(in first, 32);
            return value == 0 ? values[values.IndexOf(0f)] : value;
        }
    }
}

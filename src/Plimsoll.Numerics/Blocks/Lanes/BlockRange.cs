using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Plimsoll.Numerics.Blocks.Lanes;

/// <summary>The range of a block and codes that divide it, an element per lane. Lengths are multiples of 16.</summary>
internal static class BlockRange
{
    /// <summary>The largest |x|.</summary>
    public static float Magnitude<T>(ReadOnlySpan<float> values) where T : unmanaged, ILanes<T>
    {
        var magnitude = T.Create(0);
        foreach (var lanes in MemoryMarshal.Cast<float, T>(values))
            magnitude = T.Max(T.Abs(lanes), magnitude);
        return T.Largest(magnitude);
    }

    /// <summary>The element of largest magnitude, with its sign; the first of several; +0 where all are zero.</summary>
    public static float LargestMagnitude<T>(ReadOnlySpan<float> values) where T : unmanaged, ILanes<T>
    {
        var magnitude = Magnitude<T>(values);
        if (magnitude == 0)
            return 0;
        var sought = T.Create(magnitude);
        var lanes = MemoryMarshal.Cast<float, T>(values);
        for (var i = 0; i < lanes.Length; i++)
        {
            var found = T.Bits(T.Equal(T.Abs(lanes[i]), sought));
            if (found != 0)
                return values[i * T.Count + BitOperations.TrailingZeroCount(found)];
        }
        return magnitude;
    }

    /// <summary>The smallest and the largest element; of zeros of both signs the first.</summary>
    public static (float Min, float Max) MinMax<T>(ReadOnlySpan<float> values) where T : unmanaged, ILanes<T>
    {
        var lanes = MemoryMarshal.Cast<float, T>(values);
        var min = lanes[0];
        var max = lanes[0];
        foreach (var value in lanes[1..])
        {
            min = T.Min(value, min);
            max = T.Max(value, max);
        }
        var (smallest, largest) = (-T.Largest(T.Create(-0f) - min), T.Largest(max));
        return (FirstOf(smallest, values), FirstOf(largest, values));

        static float FirstOf(float value, ReadOnlySpan<float> values) => value == 0 ? values[values.IndexOf(0f)] : value;
    }

    /// <summary>code = truncate((x − offset) · inverse + bias), at most <paramref name="highest"/>; all zero where the inverse is infinite, as in ggml.</summary>
    public static void Codes<T>(ReadOnlySpan<float> values, T offset, T inverse, float bias, int highest, Span<byte> codes) where T : unmanaged, ILanes<T>
    {
        if (!float.IsFinite(LaneBytes.At(inverse, 0)) || !float.IsFinite(LaneBytes.At(offset, 0)))
        {
            codes.Clear();
            return;
        }
        var lanes = MemoryMarshal.Cast<float, T>(values);
        ref var target = ref MemoryMarshal.GetReference(codes);
        var (added, high) = (T.Create(bias), T.Create(highest));
        for (var i = 0; i < lanes.Length; i++)
            T.StoreBytes(T.Min((lanes[i] - offset) * inverse + added, high), ref Unsafe.Add(ref target, i * T.Count));
    }
}

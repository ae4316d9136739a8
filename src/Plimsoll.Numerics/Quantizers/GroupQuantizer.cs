using System.Runtime.Intrinsics;

namespace Plimsoll.Numerics.Quantizers;

/// <summary>Round-to-nearest of a group of weights that share a scale: w ≈ scale · (code − zero), codes 0 … 2^bits − 1, rounded half to even.</summary>
public static class GroupQuantizer
{
    /// <summary>The scale of symmetric codes, whose zero is 2^(bits−1): amax / (2^(bits−1) − ½), so 7.5 steps for four bits. The largest positive weight may be half a step short.</summary>
    /// <remarks>GPTQ with <c>sym</c> (IST-DASLab quant.py) and compressed-tensors (calculate_qparams).</remarks>
    public static float SymmetricScale(ReadOnlySpan<float> group, int bits) => Largest(group) / ((1 << (bits - 1)) - 0.5f);

    /// <summary>The scale and zero point that spread the range, widened to contain zero, over all codes: scale = (max − min) / (2^bits − 1).</summary>
    public static (float Scale, float Minimum) AsymmetricScale(ReadOnlySpan<float> group, int bits)
    {
        var (minimum, maximum) = Range(group);
        (minimum, maximum) = (Math.Min(minimum, 0), Math.Max(maximum, 0));
        return ((maximum - minimum) / ((1 << bits) - 1), minimum);
    }

    /// <summary>The code that stands for zero: −minimum / scale, rounded.</summary>
    /// <param name="scale">As it will be stored.</param>
    public static byte ZeroPoint(float minimum, float scale, int bits) =>
        scale > 0 ? (byte)Math.Clamp(MathF.Round(-minimum / scale, MidpointRounding.ToEven), 0, (1 << bits) - 1) : (byte)0;

    /// <summary>code = clamp(round(w / scale) + zero, lowest, 2^bits − 1); a scale of 0 gives zero's code.</summary>
    /// <param name="lowest">The smallest code in use: 0, or 1 where the range is meant to be symmetric.</param>
    public static void Encode(ReadOnlySpan<float> group, float scale, byte zero, int bits, Span<byte> codes, int lowest = 0)
    {
        if (!(scale > 0))
        {
            codes.Fill(zero);
            return;
        }
        var highest = (1 << bits) - 1;
        var at = 0;
        if (Vector256.IsHardwareAccelerated)
        {
            var (divisor, shift) = (Vector256.Create(scale), Vector256.Create((float)zero));
            var (low, high) = (Vector256.Create((float)lowest), Vector256.Create((float)highest));
            for (; at <= group.Length - Vector256<byte>.Count; at += Vector256<byte>.Count)
            {
                var first = Narrow(group[at..], divisor, shift, low, high);
                var second = Narrow(group[(at + Vector256<ushort>.Count)..], divisor, shift, low, high);
                Vector256.Narrow(first, second).CopyTo(codes[at..]);
            }
        }
        for (; at < group.Length; at++)
            codes[at] = (byte)Math.Clamp(MathF.Round(group[at] / scale, MidpointRounding.ToEven) + zero, lowest, highest);
    }

    /// <summary>w = scale · (code − zero).</summary>
    public static void Decode(ReadOnlySpan<byte> codes, float scale, byte zero, Span<float> group)
    {
        for (var at = 0; at < codes.Length; at++)
            group[at] = scale * (codes[at] - zero);
    }

    /// <summary>The largest magnitude; 0 for an empty group.</summary>
    public static float Largest(ReadOnlySpan<float> group)
    {
        var at = 0;
        var largest = 0f;
        if (Vector256.IsHardwareAccelerated && group.Length >= Vector256<float>.Count)
        {
            var running = Vector256<float>.Zero;
            for (; at <= group.Length - Vector256<float>.Count; at += Vector256<float>.Count)
                running = Vector256.Max(running, Vector256.Abs(Vector256.Create(group[at..])));
            for (var lane = 0; lane < Vector256<float>.Count; lane++)
                largest = Math.Max(largest, running[lane]);
        }
        for (; at < group.Length; at++)
            largest = Math.Max(largest, Math.Abs(group[at]));
        return largest;
    }

    private static (float Minimum, float Maximum) Range(ReadOnlySpan<float> group)
    {
        var (minimum, maximum) = (float.PositiveInfinity, float.NegativeInfinity);
        foreach (var value in group)
            (minimum, maximum) = (Math.Min(minimum, value), Math.Max(maximum, value));
        return (minimum, maximum);
    }

    /// <summary>Sixteen codes as 16-bit integers.</summary>
    private static Vector256<ushort> Narrow(ReadOnlySpan<float> values, Vector256<float> divisor, Vector256<float> shift, Vector256<float> low, Vector256<float> high)
    {
        var first = Vector256.Round(Vector256.Create(values) / divisor, MidpointRounding.ToEven) + shift;
        var second = Vector256.Round(Vector256.Create(values[Vector256<float>.Count..]) / divisor, MidpointRounding.ToEven) + shift;
        return Vector256.Narrow(
            Vector256.ConvertToInt32(Vector256.Min(Vector256.Max(first, low), high)).AsUInt32(),
            Vector256.ConvertToInt32(Vector256.Min(Vector256.Max(second, low), high)).AsUInt32());
    }
}

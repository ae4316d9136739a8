using System.Buffers;
using System.Runtime.Intrinsics;
using Plimsoll.Numerics.Quantizers;

namespace Plimsoll.Quantization.HuggingFace.Layers.Integers.Rounding;

/// <summary>The share of a group's range whose scale has the least Σ importance · |w − ŵ|^2.4 under rounding to nearest.</summary>
/// <remarks>The search of GPTQ's authors (IST-DASLab/gptq, quant.py: 80 shares, the power 2.4), weighted as the observers of llm-compressor weigh.</remarks>
internal static class ScaleSearch
{
    private const int Shares = 80;
    private const float Power = 2.4f;

    /// <param name="importance">A weight per column of the group.</param>
    public static (float Scale, byte Zero) Find(IntegerGrid grid, ReadOnlySpan<float> group, ReadOnlySpan<float> importance)
    {
        var codes = ArrayPool<byte>.Shared.Rent(group.Length);
        var decoded = ArrayPool<float>.Shared.Rent(group.Length);
        try
        {
            var best = grid.Choose(group);
            var least = float.PositiveInfinity;
            for (var step = 0; step < Shares; step++)
            {
                var (scale, zero) = grid.Choose(group, 1 - step / 100f);
                grid.Encode(group, scale, zero, codes);
                GroupQuantizer.Decode(codes.AsSpan(0, group.Length), scale, zero, decoded);
                var error = Error(group, decoded, importance);
                if (error < least)
                    (best, least) = ((scale, zero), error);
            }
            return best;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(codes);
            ArrayPool<float>.Shared.Return(decoded);
        }
    }

    private static float Error(ReadOnlySpan<float> group, ReadOnlySpan<float> decoded, ReadOnlySpan<float> importance)
    {
        var total = Vector512<float>.Zero;
        var at = 0;
        for (; at <= group.Length - Vector512<float>.Count; at += Vector512<float>.Count)
        {
            var error = Vector512.Abs(Vector512.Create(group[at..]) - Vector512.Create(decoded[at..]));
            // The logarithm of zero is minus infinity, and its exponential zero again.
            total += Vector512.Exp(Vector512.Log(error) * Power) * Vector512.Create(importance[at..]);
        }
        var sum = Vector512.Sum(total);
        for (; at < group.Length; at++)
            sum += MathF.Pow(MathF.Abs(group[at] - decoded[at]), Power) * importance[at];
        return sum;
    }
}

using Plimsoll.Runtime.Settings;
using Plimsoll.Runtime.Weights;

namespace Plimsoll.Runtime.Layers;

/// <summary>RMSNorm and LayerNorm over rows.</summary>
internal static class Norms
{
    /// <summary>One row; <paramref name="y"/> may be <paramref name="x"/>.</summary>
    public static void Apply(NormKind kind, float epsilon, ReadOnlySpan<float> weight, ReadOnlySpan<float> bias, ReadOnlySpan<float> x, Span<float> y)
    {
        var mean = kind == NormKind.LayerNorm ? Vectors.Sum(x) / x.Length : 0;
        // Var = E[x²] - mean² would cancel; the sum is over what is left of the mean.
        var squares = mean == 0 ? Vectors.Dot(x, x) : SquaresAround(x, mean);
        var scale = 1 / MathF.Sqrt(squares / x.Length + epsilon);
        Vectors.Normalize(x, mean, scale, weight, y);
        if (!bias.IsEmpty)
            Vectors.Add(y[..x.Length], bias);
    }

    /// <summary>Consecutive rows as wide as the weights.</summary>
    public static void ApplyRows(NormKind kind, float epsilon, NormWeights norm, ReadOnlySpan<float> x, Span<float> y)
    {
        var width = norm.Weight.Length;
        for (var at = 0; at < x.Length; at += width)
            Apply(kind, epsilon, norm.Weight, norm.Bias, x.Slice(at, width), y.Slice(at, width));
    }

    /// <summary>The heads of one row, each normed by itself, with shared weights (headDim) or weights of their own (heads × headDim).</summary>
    public static void ApplyHeads(NormKind kind, float epsilon, NormWeights norm, int headDim, Span<float> row)
    {
        for (var at = 0; at < row.Length; at += headDim)
        {
            var head = row.Slice(at, headDim);
            Apply(kind, epsilon, norm.Weight.AsSpan(norm.Weight.Length == headDim ? 0 : at, headDim), [], head, head);
        }
    }

    private static float SquaresAround(ReadOnlySpan<float> x, float mean)
    {
        var sum = 0f;
        foreach (var value in x)
            sum += (value - mean) * (value - mean);
        return sum;
    }
}

using Plimsoll.Numerics.Blocks.Lanes;

namespace Plimsoll.Numerics.Blocks.KQuants;

/// <summary>Weights of the elements in the searches, a super-block per lane.</summary>
internal static class SubBlockWeights
{
    /// <summary>Σ x², added in order.</summary>
    public static T SumOfSquares<T>(ReadOnlySpan<T> x) where T : unmanaged, ILanes<T>
    {
        var sum = T.Create(0);
        foreach (var value in x)
            sum += value * value;
        return sum;
    }

    /// <summary>σ² = factor · Σ x² / n of a super-block.</summary>
    public static T Variance<T>(ReadOnlySpan<T> x, float factor) where T : unmanaged, ILanes<T> => T.Create(factor) * SumOfSquares(x) / T.Create(x.Length);

    /// <summary>w = importance · √(σ² + x²).</summary>
    /// <returns>Σ w.</returns>
    public static T Fill<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> importance, T variance, Span<T> weights) where T : unmanaged, ILanes<T>
    {
        var sum = T.Create(0);
        for (var i = 0; i < x.Length; i++)
        {
            weights[i] = importance[i] * T.Sqrt(variance + x[i] * x[i]);
            sum += weights[i];
        }
        return sum;
    }

    /// <summary>w = √(mean x²) + |x|, what Q4_K and Q5_K take without importances.</summary>
    public static void FillRms<T>(ReadOnlySpan<T> x, Span<T> weights) where T : unmanaged, ILanes<T>
    {
        var rms = T.Sqrt(SumOfSquares(x) / T.Create(x.Length));
        for (var i = 0; i < x.Length; i++)
            weights[i] = rms + T.Abs(x[i]);
    }
}

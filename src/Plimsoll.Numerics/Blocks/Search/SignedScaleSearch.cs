using System.Runtime.CompilerServices;
using Plimsoll.Numerics.Blocks.Lanes;

namespace Plimsoll.Numerics.Blocks.Search;

/// <summary>The scale of signed codes that maximizes (Σ w·x·l)² / Σ w·l² over 19 candidates around −levels / (the element of largest magnitude).</summary>
/// <remarks>Order of operations: <c>make_qx_quants</c> of ggml-quants.c with weights.</remarks>
internal static class SignedScaleSearch
{
    /// <summary>GROUP_MAX_EPS of ggml-quants.c: smaller magnitudes count as zero.</summary>
    public const float SmallestMagnitude = 1e-15f;

    private const int Candidates = 9;

    /// <param name="x">(elements of a sub-block), a sub-block per lane.</param>
    /// <param name="w">Weight of each element.</param>
    /// <param name="codes">Receives the codes plus <paramref name="levels"/>: 0 … 2 · levels − 1; zeros where all is zero.</param>
    /// <returns>The scale.</returns>
    public static T Run<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> w, float levels, Span<T> codes) where T : unmanaged, ILanes<T>
    {
        w = w[..x.Length];
        codes = codes[..x.Length];
        var zero = T.Create(0);
        var (largest, magnitude) = Largest(x);
        var isZero = T.GreaterThan(T.Create(SmallestMagnitude), magnitude);

        var inverse = T.Create(-levels) / largest;
        var (sumXL, sumL2) = Sums(x, w, inverse, levels);
        var scale = T.Select(T.Equal(sumL2, zero), zero, sumXL / sumL2);
        var best = scale * sumXL;
        var bestInverse = inverse;
        for (var candidate = -Candidates; candidate <= Candidates; candidate++)
        {
            if (candidate == 0)
                continue;
            inverse = T.Create(-(levels + 0.1f * candidate)) / largest;
            (sumXL, sumL2) = Sums(x, w, inverse, levels);
            var isBetter = T.GreaterThan(sumL2, zero) & T.GreaterThan(sumXL * sumXL, best * sumL2);
            var candidateScale = sumXL / sumL2;
            scale = T.Select(isBetter, candidateScale, scale);
            best = T.Select(isBetter, candidateScale * sumXL, best);
            bestInverse = T.Select(isBetter, inverse, bestInverse);
        }
        for (var i = 0; i < x.Length; i++)
            codes[i] = T.Select(isZero, zero, Code(bestInverse, x[i], levels) + T.Create(levels));
        return T.Select(isZero, zero, scale);
    }

    /// <summary>The element of largest magnitude, the first of several, and its magnitude.</summary>
    public static (T Element, T Magnitude) Largest<T>(ReadOnlySpan<T> x) where T : unmanaged, ILanes<T>
    {
        var element = T.Create(0);
        var magnitude = T.Create(0);
        foreach (var value in x)
        {
            var candidate = T.Abs(value);
            var isLarger = T.GreaterThan(candidate, magnitude);
            element = T.Select(isLarger, value, element);
            magnitude = T.Select(isLarger, candidate, magnitude);
        }
        return (element, magnitude);
    }

    /// <summary>The codes of a sub-block, one element per lane or one sub-block per lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Code<T>(T inverse, T x, float levels) where T : unmanaged, ILanes<T> =>
        T.Max(T.Min(NearRounding.Round(inverse * x), T.Create(levels - 1)), T.Create(-levels));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (T SumXL, T SumL2) Sums<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> w, T inverse, float levels) where T : unmanaged, ILanes<T>
    {
        var sumXL = T.Create(0);
        var sumL2 = T.Create(0);
        for (var i = 0; i < x.Length; i++)
        {
            var code = Code(inverse, x[i], levels);
            sumXL += w[i] * x[i] * code;
            sumL2 += w[i] * code * code;
        }
        return (sumXL, sumL2);
    }
}

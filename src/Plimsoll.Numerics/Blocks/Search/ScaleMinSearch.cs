using System.Runtime.CompilerServices;
using Plimsoll.Numerics.Blocks.Lanes;

namespace Plimsoll.Numerics.Blocks.Search;

/// <summary>The candidates that <see cref="ScaleMinSearch"/> tries: the range divided by levels + first + i · step for i in 0 … count.</summary>
internal readonly record struct CandidateGrid(float Levels, float First, float Step, int Count);

/// <summary>What the search found, a sub-block per lane: x ≈ Scale · code + Min.</summary>
/// <param name="Min">Never above zero.</param>
internal readonly record struct ScaleMin<T>(T Scale, T Min) where T : unmanaged, ILanes<T>;

/// <summary>Scale and minimum of sub-blocks that minimize Σ w·|e| or Σ w·e² over a grid of candidate ranges.</summary>
/// <remarks>
/// Each candidate fixes the codes l; for these the scale and minimum are the weighted least squares solution, with the minimum held at or below zero.
/// A candidate is taken only if it is strictly better, and the next ones start from its minimum. Order of operations: <c>make_qkx2_quants</c> and
/// <c>make_qkx3_quants</c> of ggml-quants.c, which differ only in their grids.
/// </remarks>
internal static class ScaleMinSearch
{
    /// <param name="x">(elements of a sub-block), a sub-block per lane.</param>
    /// <param name="w">Weight of each element, not negative.</param>
    /// <param name="codes">Receives the codes, 0 … levels.</param>
    public static ScaleMin<T> Run<T, TError>(ReadOnlySpan<T> x, ReadOnlySpan<T> w, in CandidateGrid grid, Span<T> codes)
        where T : unmanaged, ILanes<T>
        where TError : IErrorMeasure
    {
        w = w[..x.Length];
        codes = codes[..x.Length];
        var zero = T.Create(0);
        var levels = T.Create(grid.Levels);
        var min = x[0];
        var max = x[0];
        var sumW = w[0];
        var sumX = sumW * x[0];
        for (var i = 1; i < x.Length; i++)
        {
            min = T.Min(x[i], min);
            max = T.Max(x[i], max);
            sumW += w[i];
            sumX += w[i] * x[i];
        }
        var smallest = min;
        min = T.Min(zero, min);
        var isFlat = T.Equal(max, min);
        var flatMin = min;

        var inverse = levels / (max - min);
        var scale = T.Create(1) / inverse;
        var codeInverse = Finite(inverse);
        var codeMin = min;
        var best = zero;
        for (var i = 0; i < x.Length; i++)
        {
            var code = Code<T, NearRounding>(codeInverse, min, x[i], levels);
            best += w[i] * TError.Of(scale * code + min - x[i]);
        }

        for (var step = 0; step <= grid.Count; step++)
        {
            inverse = Finite(T.Create(grid.First + grid.Step * step + grid.Levels) / (max - min));
            var isTame = T.GreaterThan(T.Create(Rounding.Limit), T.Abs(inverse * (smallest - min)));
            var (sumL, sumL2, sumXL) = T.Bits(~isTame) == 0
                ? Sums<T, NearRounding>(x, w, inverse, min, levels, codes)
                : Sums<T, BitRounding>(x, w, inverse, min, levels, codes);
            var determinant = sumW * sumL2 - sumL * sumL;
            var candidateScale = (sumW * sumXL - sumX * sumL) / determinant;
            var candidateMin = (sumL2 * sumX - sumL * sumXL) / determinant;
            var isPositive = T.GreaterThan(candidateMin, zero);
            candidateMin = T.Select(isPositive, zero, candidateMin);
            candidateScale = T.Select(isPositive, sumXL / sumL2, candidateScale);
            var error = zero;
            for (var i = 0; i < x.Length; i++)
                error += w[i] * TError.Of(candidateScale * codes[i] + candidateMin - x[i]);

            var isBetter = T.GreaterThan(determinant, zero) & T.GreaterThan(best, error);
            codeInverse = T.Select(isBetter, inverse, codeInverse);
            codeMin = T.Select(isBetter, min, codeMin);
            best = T.Select(isBetter, error, best);
            scale = T.Select(isBetter, candidateScale, scale);
            min = T.Select(isBetter, candidateMin, min);
        }
        codeInverse = T.Select(isFlat, zero, codeInverse);
        for (var i = 0; i < x.Length; i++)
            codes[i] = Code<T, BitRounding>(codeInverse, codeMin, x[i], levels);
        return new(T.Select(isFlat, zero, scale), T.Select(isFlat, flatMin, min));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Code<T, TRounding>(T inverse, T min, T x, T levels)
        where T : unmanaged, ILanes<T>
        where TRounding : IRounding =>
        T.Min(T.Max(TRounding.Round(inverse * (x - min)), T.Create(0)), levels);

    /// <summary>The codes of a candidate and Σ w·l, Σ w·l², Σ w·l·x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (T L, T L2, T XL) Sums<T, TRounding>(ReadOnlySpan<T> x, ReadOnlySpan<T> w, T inverse, T min, T levels, Span<T> codes)
        where T : unmanaged, ILanes<T>
        where TRounding : IRounding
    {
        var sumL = T.Create(0);
        var sumL2 = sumL;
        var sumXL = sumL;
        for (var i = 0; i < x.Length; i++)
        {
            var code = Code<T, TRounding>(inverse, min, x[i], levels);
            codes[i] = code;
            var weighted = w[i] * code;
            sumL += weighted;
            sumL2 += weighted * code;
            sumXL += weighted * x[i];
        }
        return (sumL, sumL2, sumXL);
    }

    /// <summary>Where a range is so narrow that its inverse is infinite, ggml's codes are all zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Finite<T>(T inverse) where T : unmanaged, ILanes<T> =>
        T.Select(T.GreaterThan(T.Create(float.PositiveInfinity), T.Abs(inverse)), inverse, T.Create(0));
}

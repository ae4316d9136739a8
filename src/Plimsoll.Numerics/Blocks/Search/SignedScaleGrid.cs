using Plimsoll.Numerics.Blocks.Lanes;

namespace Plimsoll.Numerics.Blocks.Search;

/// <summary>The FP16 scale of signed codes of least Σ w·e², by trying scales of both signs over the whole useful range.</summary>
/// <remarks>
/// With the scale given, every code is best where it is nearest, so the error is a function of the scale alone; it has many minima, hence a grid and not a
/// descent. From the best of the grid on, scale and codes are solved for each other in turn (weighted least squares, nearest code).
/// </remarks>
internal static class SignedScaleGrid
{
    /// <summary>Ratio between neighbouring scales.</summary>
    private const float Ratio = 1.02f;

    /// <summary>How far below amax / levels scales are tried: outliers without weight may be clipped. A little above, too: codes may stay unused.</summary>
    private const float Finest = 3.5f;
    private const float Coarsest = 0.85f;

    private const int Solves = 3;

    /// <param name="x">(elements of a block), a block per lane.</param>
    /// <param name="w">Weight of each element.</param>
    /// <param name="codes">Receives the codes plus <paramref name="levels"/>: 0 … 2 · levels − 1.</param>
    /// <returns>The scale, an FP16 number; 0 where there is none.</returns>
    public static T Run<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> w, float levels, Span<T> codes) where T : unmanaged, ILanes<T>
    {
        var zero = T.Create(0);
        var (_, magnitude) = SignedScaleSearch.Largest(x);
        var inverse = zero;
        var best = T.Create(float.PositiveInfinity);
        for (var part = Coarsest; part < Finest; part *= Ratio)
        {
            for (var sign = -1; sign <= 1; sign += 2)
            {
                var candidate = T.Create(sign * part * levels) / magnitude;
                var error = Error(x, w, candidate, levels);
                var isBetter = T.GreaterThan(best, error);
                best = T.Select(isBetter, error, best);
                inverse = T.Select(isBetter, candidate, inverse);
            }
        }
        var scale = zero;
        for (var solve = 0; solve < Solves; solve++)
        {
            scale = LaneBytes.RoundToFp16(LeastSquares(x, w, inverse, levels));
            inverse = T.Create(1) / scale;
        }
        for (var i = 0; i < x.Length; i++)
            codes[i] = Code(inverse, x[i], levels) + T.Create(levels);
        return scale;
    }

    /// <summary>nearest(inverse · x) within the codes; what a missing scale makes of it is −levels.</summary>
    private static T Code<T>(T inverse, T x, float levels) where T : unmanaged, ILanes<T> =>
        T.Max(T.Min(NearRounding.Round(T.Max(T.Min(inverse * x, T.Create(levels)), T.Create(-levels))), T.Create(levels - 1)), T.Create(-levels));

    private static T Error<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> w, T inverse, float levels) where T : unmanaged, ILanes<T>
    {
        var scale = T.Create(1) / inverse;
        var sum = T.Create(0);
        for (var i = 0; i < x.Length; i++)
        {
            var difference = scale * SignedScaleSearch.Code(inverse, x[i], levels) - x[i];
            sum += w[i] * (difference * difference);
        }
        return sum;
    }

    /// <summary>Σ w·x·l / Σ w·l² for the codes that a scale gives.</summary>
    private static T LeastSquares<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> w, T inverse, float levels) where T : unmanaged, ILanes<T>
    {
        var sumXL = T.Create(0);
        var sumL2 = T.Create(0);
        for (var i = 0; i < x.Length; i++)
        {
            var code = Code(inverse, x[i], levels);
            sumXL += w[i] * x[i] * code;
            sumL2 += w[i] * code * code;
        }
        return T.Select(T.GreaterThan(sumL2, T.Create(0)), sumXL / sumL2, T.Create(0));
    }
}

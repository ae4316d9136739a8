using Plimsoll.Numerics.Blocks.Lanes;

namespace Plimsoll.Numerics.Blocks.Search;

/// <summary>Codes 0 … levels and their scale for values that are not negative, as the scales or the minimums of the sub-blocks of a super-block.</summary>
/// <remarks>
/// The best of nine candidate scales by Σ w·e², then up to five passes of coordinate descent on (Σ w·x·l)² / Σ w·l². Order of operations:
/// <c>make_qp_quants</c> of ggml-quants.c.
/// </remarks>
internal static class PositiveScaleSearch
{
    private const int Candidates = 4;
    private const int Passes = 5;

    /// <param name="x">(sub-blocks), a super-block per lane.</param>
    /// <param name="w">Weight of each sub-block.</param>
    /// <param name="codes">Receives the codes.</param>
    /// <returns>The scale.</returns>
    public static T Run<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> w, float levels, Span<T> codes) where T : unmanaged, ILanes<T>
    {
        w = w[..x.Length];
        codes = codes[..x.Length];
        var zero = T.Create(0);
        var high = T.Create(levels);
        var largest = zero;
        foreach (var value in x)
            largest = T.Max(largest, value);
        var isZero = T.GreaterThan(T.Create(SignedScaleSearch.SmallestMagnitude), largest);

        var inverse = high / largest;
        var best = Error(x, w, inverse, high, areBytes: true);
        for (var candidate = -Candidates; candidate <= Candidates; candidate++)
        {
            if (candidate == 0)
                continue;
            var candidateInverse = T.Create(0.1f * candidate + levels) / largest;
            var error = Error(x, w, candidateInverse, high, areBytes: false);
            var isBetter = T.GreaterThan(best, error);
            best = T.Select(isBetter, error, best);
            inverse = T.Select(isBetter, candidateInverse, inverse);
        }

        var sumXL = zero;
        var sumL2 = zero;
        for (var i = 0; i < x.Length; i++)
        {
            var code = T.Min(T.NearestInt(inverse * x[i]), high);
            codes[i] = Byte(code);
            sumXL += w[i] * x[i] * code;
            sumL2 += w[i] * code * code;
        }
        for (var pass = 0; pass < Passes; pass++)
        {
            var changed = 0u;
            for (var i = 0; i < x.Length; i++)
            {
                var code = codes[i];
                var othersXL = sumXL - w[i] * x[i] * code;
                var othersL2 = sumL2 - w[i] * code * code;
                var moved = T.Min(T.NearestInt(x[i] * othersL2 / othersXL), high);
                var movedXL = othersXL + w[i] * x[i] * moved;
                var movedL2 = othersL2 + w[i] * moved * moved;
                var moves = T.GreaterThan(othersXL, zero) & T.GreaterThan(othersL2, zero) & T.NotEqual(moved, code)
                    & T.GreaterThan(movedXL * movedXL * sumL2, sumXL * sumXL * movedL2);
                codes[i] = T.Select(moves, Byte(moved), code);
                sumXL = T.Select(moves, movedXL, sumXL);
                sumL2 = T.Select(moves, movedL2, sumL2);
                changed |= T.Bits(moves);
            }
            if (changed == 0)
                break;
        }
        foreach (ref var code in codes)
            code = T.Select(isZero, zero, code);
        return T.Select(~isZero & T.GreaterThan(sumL2, zero), sumXL / sumL2, zero);
    }

    private static T Error<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> w, T inverse, T high, bool areBytes) where T : unmanaged, ILanes<T>
    {
        var scale = T.Create(1) / inverse;
        var sum = T.Create(0);
        for (var i = 0; i < x.Length; i++)
        {
            var code = T.Min(T.NearestInt(inverse * x[i]), high);
            var difference = x[i] - scale * (areBytes ? Byte(code) : code);
            sum += w[i] * difference * difference;
        }
        return sum;
    }

    /// <summary>The codes as ggml keeps them, in unsigned bytes: −1 becomes 255. Few values are negative: one of eight magnitudes of IQ2_XXS.</summary>
    private static unsafe T Byte<T>(T codes) where T : unmanaged, ILanes<T>
    {
        if (T.Bits(T.GreaterThan(T.Create(0), codes)) == 0)
            return codes;
        var bytes = stackalloc byte[16];
        T.StoreBytes(codes, ref *bytes);
        return T.FromBytes(in *bytes);
    }
}

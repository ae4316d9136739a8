using Plimsoll.Numerics.Blocks.Lanes;

namespace Plimsoll.Numerics.Blocks.Search;

/// <summary>Signed codes and their scale by coordinate descent: one code after the other moves to where the others want it, with weights x².</summary>
/// <remarks>Order of operations: <c>make_q3_quants</c> of ggml-quants.c. At most five passes; a lane that is done changes no more.</remarks>
internal static class CoordinateScaleSearch
{
    private const int Passes = 5;

    /// <param name="x">(elements of a sub-block), a sub-block per lane.</param>
    /// <param name="codes">Receives the codes plus <paramref name="levels"/>: 0 … 2 · levels − 1; zeros where all is zero.</param>
    /// <returns>The scale.</returns>
    public static T Run<T>(ReadOnlySpan<T> x, float levels, Span<T> codes) where T : unmanaged, ILanes<T>
    {
        codes = codes[..x.Length];
        var zero = T.Create(0);
        var low = T.Create(-levels);
        var high = T.Create(levels - 1);
        var (largest, magnitude) = SignedScaleSearch.Largest(x);
        var isZero = T.GreaterThan(T.Create(SignedScaleSearch.SmallestMagnitude), magnitude);
        var inverse = low / largest;
        var sumXL = zero;
        var sumL2 = zero;
        for (var i = 0; i < x.Length; i++)
        {
            var code = SignedScaleSearch.Code(inverse, x[i], levels);
            codes[i] = code;
            var w = x[i] * x[i];
            sumXL += w * x[i] * code;
            sumL2 += w * code * code;
        }
        for (var pass = 0; pass < Passes; pass++)
        {
            var changed = 0u;
            for (var i = 0; i < x.Length; i++)
            {
                var code = codes[i];
                var w = x[i] * x[i];
                var wx = w * x[i];
                var othersXL = sumXL - wx * code;
                var othersL2 = sumL2 - w * code * code;
                var moved = T.Max(T.Min(T.NearestInt(x[i] * othersL2 / othersXL), high), low);
                var movedXL = othersXL + wx * moved;
                var movedL2 = othersL2 + w * moved * moved;
                var moves = T.GreaterThan(T.Min(othersXL, movedL2), zero) & T.NotEqual(moved, code)
                    & T.GreaterThan(movedXL * movedXL * sumL2, sumXL * sumXL * movedL2);
                codes[i] = T.Select(moves, moved, code);
                sumXL = T.Select(moves, movedXL, sumXL);
                sumL2 = T.Select(moves, movedL2, sumL2);
                changed |= T.Bits(moves);
            }
            if (changed == 0)
                break;
        }
        for (var i = 0; i < x.Length; i++)
            codes[i] = T.Select(isZero, zero, codes[i] + T.Create(levels));
        return T.Select(~isZero & T.GreaterThan(sumL2, zero), sumXL / sumL2, zero);
    }
}

using Plimsoll.Numerics.Blocks.Lanes;

namespace Plimsoll.Numerics.Blocks.Search;

/// <summary>The best mode of the K-quants: the stored codes of a sub-block's scale and minimum move to where Σ w·e² is smallest.</summary>
/// <remarks>
/// The exact mode searches scales as floats and then rounds them to their codes; here every candidate is judged as it will be decoded. It starts from the
/// exact codes and moves only for less, so no super-block gets worse. A sub-block whose scale is stored as zero stays so.
/// </remarks>
internal static class SubBlockRefinement
{
    /// <summary>How far a scale code may move in one step, and a minimum's.</summary>
    private const int ScaleReach = 2;
    private const int MinReach = 1;
    private const int SignedReach = 3;

    /// <param name="x">(elements of a sub-block), a super-block per lane.</param>
    /// <param name="w">Weight of each element.</param>
    /// <param name="scale">The FP16 scale of the super-block, under which <paramref name="scaleCode"/> is 0 … <paramref name="scaleLevels"/>.</param>
    /// <param name="min">The FP16 scale of the minimums.</param>
    /// <param name="levels">The largest code of an element.</param>
    public static void Run<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> w, T scale, T min, float levels, float scaleLevels, ref T scaleCode, ref T minCode)
        where T : unmanaged, ILanes<T>
    {
        var (startScale, startMin) = (scaleCode, minCode);
        var (zero, highest) = (T.Create(0), T.Create(scaleLevels));
        var least = Error(x, w, scale * startScale, min * startMin, levels);
        for (var byScale = -ScaleReach; byScale <= ScaleReach; byScale++)
        {
            for (var byMin = -MinReach; byMin <= MinReach; byMin++)
            {
                var candidateScale = T.Min(T.Max(startScale + T.Create(byScale), zero), highest);
                var candidateMin = T.Min(T.Max(startMin + T.Create(byMin), zero), highest);
                var error = Error(x, w, scale * candidateScale, min * candidateMin, levels);
                var isBetter = T.GreaterThan(least, error);
                least = T.Select(isBetter, error, least);
                scaleCode = T.Select(isBetter, candidateScale, scaleCode);
                minCode = T.Select(isBetter, candidateMin, minCode);
            }
        }
    }

    /// <summary>The same for signed codes without a minimum.</summary>
    /// <param name="lowest">The lowest code of a scale.</param>
    /// <param name="levels">Half the number of codes of an element.</param>
    public static void Run<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> w, T scale, float levels, float lowest, float highest, ref T scaleCode)
        where T : unmanaged, ILanes<T>
    {
        var start = scaleCode;
        var least = SignedError(x, w, scale * start, levels);
        for (var by = -SignedReach; by <= SignedReach; by++)
        {
            var candidate = T.Min(T.Max(start + T.Create(by), T.Create(lowest)), T.Create(highest));
            var error = SignedError(x, w, scale * candidate, levels);
            var isBetter = T.GreaterThan(least, error);
            least = T.Select(isBetter, error, least);
            scaleCode = T.Select(isBetter, candidate, scaleCode);
        }
    }

    /// <summary>NaN where the scale is zero, which is never less.</summary>
    private static T Error<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> w, T scale, T min, float levels) where T : unmanaged, ILanes<T>
    {
        var sum = T.Create(0);
        for (var i = 0; i < x.Length; i++)
        {
            var code = T.Min(T.Max(T.NearestInt((x[i] + min) / scale), T.Create(0)), T.Create(levels));
            var difference = scale * code - min - x[i];
            sum += w[i] * (difference * difference);
        }
        return T.Select(T.Equal(scale, T.Create(0)), T.Create(float.NaN), sum);
    }

    private static T SignedError<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> w, T scale, float levels) where T : unmanaged, ILanes<T>
    {
        var sum = T.Create(0);
        for (var i = 0; i < x.Length; i++)
        {
            var code = T.Max(T.Min(T.NearestInt(x[i] / scale), T.Create(levels - 1)), T.Create(-levels));
            var difference = scale * code - x[i];
            sum += w[i] * (difference * difference);
        }
        return T.Select(T.Equal(scale, T.Create(0)), T.Create(float.NaN), sum);
    }
}

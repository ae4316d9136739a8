namespace Plimsoll.Diagnostics.Growth;

/// <summary>A slope with the interval that holds it in 95 of 100 cases.</summary>
public readonly record struct SlopeInterval(double Low, double Median, double High);

/// <summary>Trend tests that ask nothing of the distribution.</summary>
internal static class Trend
{
    private const double Quantile95 = 1.96;

    /// <summary>The one-sided chance of so much rise where there is none: Mann-Kendall, S normal with variance n(n−1)(2n+5)/18 less ties.</summary>
    /// <remarks>H. B. Mann, Econometrica 13 (1945); M. G. Kendall, Rank Correlation Methods.</remarks>
    public static double RiseProbability(ReadOnlySpan<double> values)
    {
        long score = 0;
        for (var first = 0; first < values.Length; first++)
        {
            for (var second = first + 1; second < values.Length; second++)
                score += Math.Sign(values[second] - values[first]);
        }
        var variance = ScoreVariance(values);
        return variance <= 0 ? 1 : UpperTail((score - Math.Sign(score)) / Math.Sqrt(variance));
    }

    /// <summary>The median of all pairwise slopes, with Sen's interval from their ranks.</summary>
    /// <remarks>P. K. Sen, J. Amer. Statist. Assoc. 63 (1968).</remarks>
    public static SlopeInterval TheilSen(ReadOnlySpan<double> at, ReadOnlySpan<double> values)
    {
        var slopes = new List<double>(at.Length * (at.Length - 1) / 2);
        for (var first = 0; first < at.Length; first++)
        {
            for (var second = first + 1; second < at.Length; second++)
            {
                if (at[second] > at[first])
                    slopes.Add((values[second] - values[first]) / (at[second] - at[first]));
            }
        }
        if (slopes.Count == 0)
            return default;
        slopes.Sort();
        var half = Quantile95 * Math.Sqrt(Math.Max(0, ScoreVariance(values))) / 2;
        var low = (int)Math.Floor((slopes.Count / 2.0) - half);
        var high = (int)Math.Ceiling((slopes.Count / 2.0) + half);
        return new(slopes[Math.Max(0, low)], Median(slopes), slopes[Math.Min(slopes.Count - 1, high)]);
    }

    /// <summary>Of values in ascending order.</summary>
    public static double Median(IReadOnlyList<double> sorted) =>
        sorted.Count % 2 == 1 ? sorted[sorted.Count / 2] : (sorted[(sorted.Count / 2) - 1] + sorted[sorted.Count / 2]) / 2;

    private static double ScoreVariance(ReadOnlySpan<double> values)
    {
        double n = values.Length;
        var variance = n * (n - 1) * ((2 * n) + 5);
        var ties = new Dictionary<double, int>();
        foreach (var value in values)
            ties[value] = ties.GetValueOrDefault(value) + 1;
        foreach (double tied in ties.Values)
            variance -= tied * (tied - 1) * ((2 * tied) + 5);
        return variance / 18;
    }

    /// <summary>The chance that a standard normal is above <paramref name="z"/>: Abramowitz and Stegun 26.2.17, to 7.5e-8.</summary>
    private static double UpperTail(double z)
    {
        if (z < 0)
            return 1 - UpperTail(-z);
        var t = 1 / (1 + (0.2316419 * z));
        var polynomial = t * (0.319381530 + (t * (-0.356563782 + (t * (1.781477937 + (t * (-1.821255978 + (t * 1.330274429))))))));
        return Math.Exp(-z * z / 2) / Math.Sqrt(2 * Math.PI) * polynomial;
    }
}

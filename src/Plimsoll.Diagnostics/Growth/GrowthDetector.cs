using System.Collections.Immutable;
using System.Globalization;
using Plimsoll.Numerics;

namespace Plimsoll.Diagnostics.Growth;

/// <summary>Tells a leak from a warm-up, a sawtooth and noise.</summary>
/// <remarks>
/// Slopes and trend tests on raw samples find a "trend" in every warm-up and in half of all random walks. Here a leak must pass four doors: the troughs rise
/// (Mann-Kendall), by an amount that matters, at about the same rate in every part of the run (a random walk seldom does), and no curve that levels off explains them better.
/// </remarks>
public static class GrowthDetector
{
    /// <summary>Fewer samples say nothing.</summary>
    public const int FewestSamples = 12;

    private const int CoarseBlocks = 12;

    /// <summary>The start of a run: contexts, kernels and caches are loaded.</summary>
    private const double WarmUpShare = 0.2;

    private const double Significance = 0.01;

    /// <summary>Growth below this and below one per cent is of no concern.</summary>
    private const long SmallestGrowth = 32 * ByteSize.MiB;

    private const double SmallestGrowthShare = 0.01;

    /// <summary>Bayesian information: above this difference the evidence is strong (Kass and Raftery, 1995).</summary>
    private const double StrongEvidence = 6;

    /// <summary>In a leak the slowest part of the run is at least this share of the fastest.</summary>
    private const double Steadiness = 0.4;

    /// <summary>A run that levels off at this share of itself, or sooner, has levelled off.</summary>
    private const double LevelsWithin = 0.7;

    public static GrowthVerdict Judge(MemorySeries series)
    {
        if (series.Bytes.Length < FewestSamples)
            return Plain(series, GrowthShape.InsufficientData, Certainty.High, $"{series.Bytes.Length} samples; at least {FewestSamples} are needed");
        if (series.Span <= 0)
            return Plain(series, GrowthShape.InsufficientData, Certainty.High, "all samples are of the same moment");
        var resets = Resets.Count(series.Bytes.AsSpan());
        var fine = Judge(series, resets, Troughs.MostBlocks);
        // Cycles that are longer than a block hide a leak; a coarser grain sees their troughs.
        if (fine.Shape != GrowthShape.Flat || series.Bytes.Length < 2 * Troughs.MostBlocks)
            return fine;
        var coarse = Judge(series, resets, CoarseBlocks);
        return coarse.Shape == GrowthShape.Leak ? coarse : fine;
    }

    private static GrowthVerdict Judge(MemorySeries series, int resets, int blocks)
    {
        var whole = Troughs.Of(series.At.AsSpan(), series.Bytes.AsSpan(), resets, blocks);
        var warmUp = (int)(WarmUpShare * series.Bytes.Length);
        var at = series.At.AsSpan()[warmUp..];
        var bytes = series.Bytes.AsSpan()[warmUp..];
        var steady = Troughs.AfterCollections(at, bytes) ?? Troughs.Of(at, bytes, (int)(resets * (1 - WarmUpShare)), blocks);
        if (Rises(steady, out var test))
            return Rising(series, steady, test);
        return resets < 2 && HasLevelled(whole, out var level)
            ? Plain(series, GrowthShape.Saturating, Certainty.High, test, level)
            : Still(series, resets, test);
    }

    /// <summary>The troughs rise after the warm-up: a leak, something slower, or a walk.</summary>
    private static GrowthVerdict Rising(MemorySeries series, Troughs steady, string test)
    {
        var slopes = steady.WindowSlopes(steady.Count switch { >= 20 => 5, >= 10 => 4, _ => 3 });
        var (slowest, fastest) = (slopes.Min(), slopes.Max());
        var slope = Interval(Trend.TheilSen(steady.At, steady.Bytes), slopes);
        var windows = $"{slopes.Length} disjoint parts of the run rise by {string.Join(", ", slopes.Select(part => Units.DescribeRate(part, series.Axis)))}";
        var steps = Staircase.Find(series.At.AsSpan(), series.Bytes.AsSpan());
        // Without the warm-up: a leak that begins after it bends like a curve that levels off.
        var line = CurveFit.Line(steady);
        var bent = Levelling(steady);
        var levels = line.Bic - bent.Bic > StrongEvidence;
        var shape = string.Create(CultureInfo.InvariantCulture, $"{Name(levels ? bent.Curve : Curve.Line)} explains the troughs best (BIC of line {line.Bic:0}, of the best levelling curve {bent.Bic:0})");
        ImmutableArray<string> evidence = [test, windows, shape];
        var isSteady = slowest > 0 && slowest >= Steadiness * fastest;
        if (isSteady && !levels)
            return new(series, GrowthShape.Leak, slope.Low > 0 && slowest >= 0.6 * fastest ? Certainty.High : Certainty.Medium, evidence, slope, steps, Forecast(series, slope, steps));
        if (levels && (bent.Scale <= LevelsWithin || slopes[^1] < Steadiness * slopes.Average()))
            return Plain(series, GrowthShape.Saturating, Certainty.Medium, [.. evidence, Level(bent)]);
        if (isSteady)
            return new(series, GrowthShape.Growing, Certainty.Low, evidence, slope, steps, Forecast(series, slope, steps));
        return Plain(series, GrowthShape.Flat, Certainty.Low, [.. evidence, "not steady: a walk without direction looks like this as often as growth does"]);
    }

    private static GrowthVerdict Still(MemorySeries series, int resets, string test)
    {
        var range = series.Bytes.Max() - series.Bytes.Min();
        return resets >= 2 && range > Matters(series.Bytes.Max())
            ? Plain(series, GrowthShape.Sawtooth, Certainty.High, $"rises and falls by {ByteSize.FromDouble(range)} and returns to its base {resets} times", test)
            : Plain(series, GrowthShape.Flat, Certainty.High, test);
    }

    private static bool Rises(Troughs troughs, out string evidence)
    {
        var chance = Trend.RiseProbability(troughs.Bytes);
        var growth = Trend.TheilSen(troughs.At, troughs.Bytes).Median * (troughs.At[^1] - troughs.At[0]);
        var matters = Matters(troughs.Bytes.Max());
        evidence = string.Create(
            CultureInfo.InvariantCulture,
            $"{troughs.Count} troughs rise by {ByteSize.FromDouble(growth)} (Mann-Kendall p = {chance:0.0e0}; above {ByteSize.FromDouble(matters)} it matters)");
        return chance < Significance && growth > matters;
    }

    private static bool HasLevelled(Troughs troughs, out string evidence)
    {
        var bent = Levelling(troughs);
        evidence = Level(bent);
        return CurveFit.Line(troughs).Bic - bent.Bic > StrongEvidence && bent.Scale <= LevelsWithin && bent.Level - troughs.Bytes[0] > Matters(bent.Level);
    }

    private static CurveFit Levelling(Troughs troughs)
    {
        var (curve, ramp) = (CurveFit.Saturation(troughs), CurveFit.RampThenLevel(troughs));
        return curve.Bic <= ramp.Bic ? curve : ramp;
    }

    private static string Level(CurveFit bent) => $"it levels off at {ByteSize.FromDouble(Math.Clamp(bent.Level, 0, ByteSize.TiB * 1024.0))}";

    private static string Name(Curve curve) => curve switch { Curve.Saturation => "a - b*exp(-t/tau)", Curve.RampThenLevel => "a ramp that ends", _ => "a line" };

    private static double Matters(double level) => Math.Max(SmallestGrowth, SmallestGrowthShare * level);

    /// <summary>Sen's interval, or what the parts of the run differ by where that is wider: neighbouring troughs are not independent.</summary>
    private static SlopeInterval Interval(SlopeInterval sen, double[] parts)
    {
        var mean = parts.Average();
        var error = 2 * Math.Sqrt(parts.Sum(part => (part - mean) * (part - mean)) / (parts.Length * (parts.Length - 1)));
        return new(Math.Min(sen.Low, sen.Median - error), sen.Median, Math.Max(sen.High, sen.Median + error));
    }

    private static CeilingForecast? Forecast(MemorySeries series, SlopeInterval slope, Staircase? steps) =>
        series.CeilingBytes is null ? null : CeilingForecast.Of(series, slope, series.Bytes.AsSpan()[^Math.Max(1, series.Bytes.Length / 20)..].ToArray().Max(), steps);

    private static GrowthVerdict Plain(MemorySeries series, GrowthShape shape, Certainty certainty, params ImmutableArray<string> evidence) => new(series, shape, certainty, evidence, null, null, null);
}

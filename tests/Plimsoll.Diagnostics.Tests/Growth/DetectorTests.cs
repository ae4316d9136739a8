using Plimsoll.Diagnostics.Growth;

namespace Plimsoll.Diagnostics.Tests.Growth;

/// <summary>Rates over seeds that the thresholds were not chosen on.</summary>
public class DetectorTests
{
    private const int FirstSeed = 5000, Seeds = 100;

    /// <summary>A trough test with a two-window check, the detector that this one must beat, calls 10 to 40 % of warm-ups and 30 % of random walks leaks.</summary>
    [Theory]
    [InlineData("flat", 0)]
    [InlineData("sawtooth", 0)]
    [InlineData("slow sawtooth", 0)]
    [InlineData("fast warm-up", 0)]
    [InlineData("slow warm-up", 0)]
    [InlineData("noisy slow warm-up", 0)]
    [InlineData("very slow warm-up", 1)]
    [InlineData("cache staircase", 0)]
    [InlineData("ramp then plateau", 0)]
    [InlineData("collection cycles", 1)]
    [InlineData("autoregressive", 2)]
    [InlineData("random walk", 3)]
    [InlineData("requests of any size", 0)]
    [InlineData("spikes", 0)]
    [InlineData("warm-up under collection cycles", 1)]
    public void What_ends_or_returns_or_wanders_is_hardly_ever_called_a_leak(string shape, int most)
    {
        var alarms = Verdicts(shape).Count(verdict => verdict.IsProblem);
        Assert.True(alarms <= most, $"{alarms} of {Seeds} are called leaks or growth");
    }

    [Theory]
    [InlineData("linear leak", 100)]
    [InlineData("leak after a warm-up", 88)]
    [InlineData("leak in steps", 100)]
    [InlineData("leak under sawtooth", 97)]
    [InlineData("leak under collection cycles", 98)]
    [InlineData("leak under rare collections", 90)]
    public void A_leak_is_found(string shape, int least)
    {
        var found = Verdicts(shape).Count(verdict => verdict.Shape == GrowthShape.Leak);
        Assert.True(found >= least, $"{found} of {Seeds} are found");
    }

    [Theory]
    [InlineData("flat", GrowthShape.Flat)]
    [InlineData("sawtooth", GrowthShape.Sawtooth)]
    [InlineData("fast warm-up", GrowthShape.Saturating)]
    [InlineData("slow warm-up", GrowthShape.Saturating)]
    [InlineData("cache staircase", GrowthShape.Saturating)]
    [InlineData("ramp then plateau", GrowthShape.Saturating)]
    public void A_plain_shape_has_its_name(string shape, GrowthShape expected) => Assert.All(Verdicts(shape), verdict => Assert.Equal(expected, verdict.Shape));

    /// <summary>Base 100, a step of 1 and falls of 50: only those are sharp, and a fall of two samples ends with the second.</summary>
    [Fact]
    public void A_sharp_fall_is_one_beyond_the_usual_change() =>
        Assert.Equal([5, 9], Resets.SharpFalls([100, 101, 102, 103, 153, 103, 104, 105, 153, 100, 101, 100, 101]));

    [Fact]
    public void A_leak_in_steps_is_told_in_steps()
    {
        var steps = GrowthDetector.Judge(Shapes.Create("leak in steps", 1)).Steps;
        Assert.Equal((20 << 20, 40.0, 29), (steps!.StepBytes, steps.Interval, steps.Count));
    }

    [Theory]
    [InlineData(11, 1)]
    [InlineData(100, 0)]
    public void Too_few_samples_or_no_time_say_nothing(int samples, double interval)
    {
        var at = Enumerable.Range(0, samples).Select(index => index * interval).ToList();
        var series = MemorySeries.Create("x", "x", MemoryLedger.Device, SeriesAxis.Seconds, at, [.. at.Select((_, index) => index * 1e9)], null);
        Assert.Equal(GrowthShape.InsufficientData, GrowthDetector.Judge(series).Shape);
    }

    [Fact]
    public void Growth_that_does_not_matter_is_no_leak()
    {
        var series = Line(60, index => 8e9 + (index * 1e5));
        Assert.Equal(GrowthShape.Flat, GrowthDetector.Judge(series).Shape);
    }

    [Fact]
    public void A_clock_that_goes_backwards_is_not_believed()
    {
        var series = MemorySeries.Create("x", "x", MemoryLedger.Device, SeriesAxis.Seconds, [0, 2, 4, 1, 3], [1, 2, 3, 4, 5], null);
        Assert.Equal([0, 2, 4, 6, 8], series.At);
        Assert.Single(series.Notes);
    }

    /// <summary>S = 10 of 10 pairs and variance 5·4·15/18: z = 9/4.0825 = 2.2045, one-sided p = 0.01374 (erfc of the C library).</summary>
    [Fact]
    public void The_trend_test_has_the_published_value()
    {
        Assert.Equal(0.01374, Trend.RiseProbability([1, 2, 3, 4, 5]), 4);
        Assert.Equal(2, Trend.TheilSen([0, 1, 2, 3, 4], [0, 2, 4, 60, 8]).Median);
    }

    internal static MemorySeries Line(int samples, Func<int, double> bytes, MemoryLedger ledger = MemoryLedger.Device, long? ceiling = null, SeriesAxis axis = SeriesAxis.Seconds) =>
        MemorySeries.Create(ledger.ToString(), "GPU 0", ledger, axis, [.. Enumerable.Range(0, samples).Select(index => (double)index)], [.. Enumerable.Range(0, samples).Select(bytes)], ceiling);

    private static List<GrowthVerdict> Verdicts(string shape) => [.. Enumerable.Range(FirstSeed, Seeds).Select(seed => GrowthDetector.Judge(Shapes.Create(shape, seed)))];
}

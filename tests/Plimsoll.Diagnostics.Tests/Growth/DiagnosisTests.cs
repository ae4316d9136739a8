using Plimsoll.Diagnostics.Growth;
using static Plimsoll.Diagnostics.Tests.Growth.DetectorTests;

namespace Plimsoll.Diagnostics.Tests.Growth;

public class DiagnosisTests
{
    private const double GiB = 1 << 30;

    /// <summary>The leak is half a MiB a second from 4,000 MiB: after 1,200 s, 1,400 MiB are left to 6,000, which is 2,800 s. Peaks of noise come up to 5 % sooner.</summary>
    [Fact]
    public void The_time_to_the_ceiling_is_within_its_interval()
    {
        var held = 0;
        for (var seed = 0; seed < 100; seed++)
        {
            var forecast = GrowthDetector.Judge(Shapes.Create("linear leak", seed, ceiling: 6000L << 20)).Forecast!;
            Assert.InRange(forecast.Expected!.Value, 2800 * 0.9, 2800 * 1.1);
            held += forecast.Low <= 2800 && forecast.High >= 2800 * 0.95 ? 1 : 0;
        }
        Assert.InRange(held, 80, 100);
    }

    [Fact]
    public void Steps_are_forecast_in_whole_steps()
    {
        var forecast = GrowthDetector.Judge(Shapes.Create("leak in steps", 1, ceiling: (4000 + 580 + 30L) << 20)).Forecast!;
        Assert.Equal(2 * 40, forecast.Expected);
        Assert.StartsWith("2 more steps of 20.00 MiB", forecast.Basis, StringComparison.Ordinal);
    }

    [Fact]
    public void A_forecast_beyond_what_the_history_supports_is_refused()
    {
        var forecast = GrowthDetector.Judge(Shapes.Create("linear leak", 1, ceiling: 80_000L << 20)).Forecast!;
        Assert.Null(forecast.Expected);
        Assert.StartsWith("refused", forecast.Basis, StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_is_forecast_without_growth_or_without_a_ceiling()
    {
        Assert.Null(GrowthDetector.Judge(Shapes.Create("slow warm-up", 1, ceiling: 9000L << 20)).Forecast);
        Assert.Null(GrowthDetector.Judge(Shapes.Create("linear leak", 1)).Forecast);
    }

    [Theory]
    [InlineData(MemoryLedger.Allocated, MemoryLedger.Reserved, "retained-tensors")]
    [InlineData(MemoryLedger.Reserved, MemoryLedger.Reserved, "reserved-grows")]
    [InlineData(MemoryLedger.Process, MemoryLedger.Process, "outside-allocator-grows")]
    [InlineData(MemoryLedger.Device, MemoryLedger.Device, "device-grows")]
    public void The_innermost_ledger_that_grows_names_the_cause(MemoryLedger innermost, MemoryLedger outermost, string check)
    {
        var ledgers = Enum.GetValues<MemoryLedger>();
        var diagnosis = GrowthDiagnosis.Of(ledgers.Select(ledger => Line(200, index => (4 * GiB) + (ledger >= outermost && ledger <= innermost ? index * 5e6 : 0), ledger)));
        Assert.Equal(check, Assert.Single(diagnosis.Findings).Check);
        Assert.Equal(GrowthShape.Leak, diagnosis.Shape);
    }

    [Fact]
    public void Growth_along_tokens_is_a_cache_of_keys_and_values() =>
        Assert.Equal("kv-growth", Assert.Single(GrowthDiagnosis.Of([Line(200, index => GiB + (index * 1e6), axis: SeriesAxis.Tokens)]).Findings).Check);

    [Fact]
    public void A_cache_that_is_dropped_with_each_request_is_a_sawtooth() =>
        Assert.Equal(GrowthShape.Sawtooth, GrowthDetector.Judge(Line(400, index => GiB + (index % 97 * 1e7), axis: SeriesAxis.Tokens)).Shape);
}

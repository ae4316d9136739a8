using Plimsoll.Diagnostics.Growth;

namespace Plimsoll.Cli.Watch;

/// <summary>What has been seen so far. When it is full every second sample goes, so that it always spans the whole watch.</summary>
internal sealed class WatchHistory
{
    private const int MostSamples = 4096;

    private readonly Dictionary<(string Name, MemoryLedger Ledger), (string Source, long? Ceiling, List<double> At, List<double> Bytes)> series = [];

    /// <summary>The judgement of all samples; replaced as a whole, so that another thread may read it.</summary>
    public GrowthDiagnosis Diagnosis { get; private set; } = GrowthDiagnosis.Of([]);

    public void Add(double seconds, IEnumerable<WatchSample> samples)
    {
        foreach (var sample in samples)
        {
            if (!series.TryGetValue((sample.Name, sample.Ledger), out var known))
                known = (sample.Source, sample.CeilingBytes, [], []);
            known.At.Add(seconds);
            known.Bytes.Add(sample.Bytes);
            series[(sample.Name, sample.Ledger)] = known with { Ceiling = sample.CeilingBytes };
            if (known.At.Count < MostSamples)
                continue;
            series[(sample.Name, sample.Ledger)] = known with { At = EverySecond(known.At), Bytes = EverySecond(known.Bytes) };
        }
        Diagnosis = GrowthDiagnosis.Of(series.Select(one => MemorySeries.Create(one.Key.Name, one.Value.Source, one.Key.Ledger, SeriesAxis.Seconds, one.Value.At, one.Value.Bytes, one.Value.Ceiling)));
    }

    private static List<double> EverySecond(List<double> values) => [.. values.Where((_, index) => index % 2 == 0)];
}

using System.Collections.Immutable;

namespace Plimsoll.Diagnostics.Growth.Readers;

/// <summary>Gathers samples by source and ledger while a file is read.</summary>
internal sealed class SeriesBuilder(SeriesAxis axis)
{
    private readonly Dictionary<(string Source, string Name, MemoryLedger Ledger), (List<double> At, List<double> Bytes)> samples = [];
    private readonly Dictionary<string, double> total = [];
    private readonly Dictionary<string, double> kept = [];

    public void Add(string source, string name, MemoryLedger ledger, double at, double bytes)
    {
        if (!samples.TryGetValue((source, name, ledger), out var series))
            samples[(source, name, ledger)] = series = ([], []);
        series.At.Add(at);
        series.Bytes.Add(bytes);
    }

    /// <summary>The memory of a device.</summary>
    public void SetTotal(string source, double bytes) => total[source] = bytes;

    /// <summary>What the driver keeps for itself, which nobody can use.</summary>
    public void SetKept(string source, double bytes) => kept[source] = bytes;

    public ImmutableArray<MemorySeries> Build() =>
    [
        .. samples.Select(entry => MemorySeries.Create(entry.Key.Name, entry.Key.Source, entry.Key.Ledger, axis, entry.Value.At, entry.Value.Bytes, Ceiling(entry.Key.Source, entry.Value.Bytes)))
    ];

    /// <summary>A total below what was in use is no total of this memory.</summary>
    private long? Ceiling(string source, List<double> bytes) =>
        total.TryGetValue(source, out var all) && all - kept.GetValueOrDefault(source) is var ceiling && ceiling >= bytes.Max() ? (long)ceiling : null;
}

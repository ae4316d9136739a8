using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Plimsoll.Numerics;

namespace Plimsoll.Diagnostics.Growth.Readers;

/// <summary>Scrapes of exporters, one after another, with or without timestamps; and ranges that Prometheus answers.</summary>
internal static partial class PrometheusSeries
{
    private enum Kind
    {
        Used,
        Free,
        Total,
        Kept,
    }

    /// <summary>Metric, what it is, and its unit: DCGM and nvitop count in MiB, the others in bytes.</summary>
    private static readonly Dictionary<string, (Kind Kind, MemoryLedger Ledger, long Unit)> Metrics = new()
    {
        ["DCGM_FI_DEV_FB_USED"] = (Kind.Used, MemoryLedger.Device, ByteSize.MiB),
        ["DCGM_FI_DEV_FB_FREE"] = (Kind.Free, MemoryLedger.Device, ByteSize.MiB),
        ["DCGM_FI_DEV_FB_RESERVED"] = (Kind.Kept, MemoryLedger.Device, ByteSize.MiB),
        ["DCGM_FI_DEV_FB_TOTAL"] = (Kind.Total, MemoryLedger.Device, ByteSize.MiB),
        ["nvidia_smi_memory_used_bytes"] = (Kind.Used, MemoryLedger.Device, 1),
        ["nvidia_smi_memory_total_bytes"] = (Kind.Total, MemoryLedger.Device, 1),
        ["nvidia_smi_memory_reserved_bytes"] = (Kind.Kept, MemoryLedger.Device, 1),
        ["nvidia_smi_mig_memory_used_bytes"] = (Kind.Used, MemoryLedger.Device, 1),
        ["nvidia_smi_mig_memory_total_bytes"] = (Kind.Total, MemoryLedger.Device, 1),
        ["nvidia_smi_mig_memory_reserved_bytes"] = (Kind.Kept, MemoryLedger.Device, 1),
        ["nvidia_smi_compute_app_used_memory_bytes"] = (Kind.Used, MemoryLedger.Process, 1),
        ["gpu_memory_used"] = (Kind.Used, MemoryLedger.Device, ByteSize.MiB),
        ["gpu_memory_total"] = (Kind.Total, MemoryLedger.Device, ByteSize.MiB),
        ["process_gpu_memory"] = (Kind.Used, MemoryLedger.Process, ByteSize.MiB),
        ["process_resident_memory_bytes"] = (Kind.Used, MemoryLedger.Process, 1),
        ["plimsoll_memory_used_bytes"] = (Kind.Used, MemoryLedger.Device, 1),
        ["plimsoll_memory_ceiling_bytes"] = (Kind.Total, MemoryLedger.Device, 1),
    };

    /// <summary>Labels that tell devices apart; the rest (host, model, namespace) is the same in a file.</summary>
    private static readonly string[] DeviceLabels = ["gpu", "index", "UUID", "uuid", "gpu_instance_id", "GPU_I_ID", "device", "series", "instance"];

    private sealed record Sample(string Metric, string Source, string Name, double Value, double? Seconds);

    public static ImmutableArray<MemorySeries> Read(string text)
    {
        var samples = new List<Sample>();
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            var end = line.IndexOfAny('{', ' ');
            if (end <= 0 || line[0] == '#' || !Metrics.GetAlternateLookup<ReadOnlySpan<char>>().ContainsKey(line[..end]))
                continue;
            var match = Line().Match(line.ToString());
            if (!match.Success || !double.TryParse(match.Groups["value"].Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) || !double.IsFinite(value))
                continue;
            var labels = Label().Matches(match.Groups["labels"].Value).DistinctBy(label => label.Groups["name"].Value).ToDictionary(label => label.Groups["name"].Value, label => label.Groups["value"].Value);
            samples.Add(Create(match.Groups["metric"].Value, labels, value, match.Groups["time"].Success ? double.Parse(match.Groups["time"].Value, CultureInfo.InvariantCulture) / 1000 : null));
        }
        return Build(samples);
    }

    /// <summary>The <c>result</c> of a range query: each a metric with <c>values</c> of time and text.</summary>
    public static ImmutableArray<MemorySeries> ReadRanges(JsonElement results)
    {
        var samples = new List<Sample>();
        foreach (var result in results.ValueKind == JsonValueKind.Array ? results.EnumerateArray().AsEnumerable() : [])
        {
            if (!result.TryGetProperty("metric", out var metric) || !result.TryGetProperty("values", out var values) || values.ValueKind != JsonValueKind.Array)
                continue;
            var labels = metric.EnumerateObject().ToDictionary(label => label.Name, label => label.Value.ToString());
            if (!Metrics.ContainsKey(labels.GetValueOrDefault("__name__", "")))
                continue;
            foreach (var pair in values.EnumerateArray())
            {
                if (pair.GetArrayLength() == 2 && pair[0].ValueKind == JsonValueKind.Number && double.TryParse(pair[1].ToString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value))
                    samples.Add(Create(labels["__name__"], labels, value, pair[0].GetDouble()));
            }
        }
        return Build(samples);
    }

    private static Sample Create(string metric, Dictionary<string, string> labels, double value, double? seconds)
    {
        var gpu = DeviceLabels.FirstOrDefault(labels.ContainsKey) is { } label ? (label is "gpu" or "index" ? $"GPU {labels[label]}" : labels[label]) : "memory";
        var source = labels.GetValueOrDefault("gpu_instance_id") is { } instance && gpu != instance ? $"{gpu} instance {instance}" : gpu;
        return new(metric, source, labels.GetValueOrDefault("pid") is { } pid ? $"{source} pid {pid}" : source, value, seconds);
    }

    private static ImmutableArray<MemorySeries> Build(List<Sample> samples)
    {
        var timed = samples.TrueForAll(sample => sample.Seconds is not null);
        var builder = new SeriesBuilder(timed ? SeriesAxis.Seconds : SeriesAxis.Steps);
        var scrapes = new Dictionary<(string, string), int>();
        var used = new Dictionary<string, double>();
        var free = new Dictionary<string, double>();
        var kept = new Dictionary<string, double>();
        var stated = new HashSet<string>();
        foreach (var sample in samples)
        {
            var (kind, ledger, unit) = Metrics[sample.Metric];
            var bytes = sample.Value * unit;
            switch (kind)
            {
                case Kind.Total:
                    builder.SetTotal(sample.Source, bytes);
                    stated.Add(sample.Source);
                    break;
                case Kind.Kept:
                    builder.SetKept(sample.Source, bytes);
                    kept[sample.Source] = bytes;
                    break;
                case Kind.Free:
                    free[sample.Source] = bytes;
                    break;
                default:
                    var scrape = scrapes[(sample.Name, sample.Metric)] = scrapes.GetValueOrDefault((sample.Name, sample.Metric), -1) + 1;
                    builder.Add(sample.Source, sample.Name, ledger, timed ? sample.Seconds!.Value : scrape, bytes);
                    if (ledger == MemoryLedger.Device)
                        used[sample.Source] = bytes;
                    break;
            }
        }
        // DCGM exports no total by default: used + free + reserved = total.
        foreach (var source in free.Keys.Where(source => !stated.Contains(source) && used.ContainsKey(source)))
            builder.SetTotal(source, used[source] + free[source] + kept.GetValueOrDefault(source));
        return builder.Build();
    }

    [GeneratedRegex(@"^(?<metric>[A-Za-z_:][\w:]*)(?:\{(?<labels>.*)\})?\s+(?<value>\S+)(?:\s+(?<time>\d+))?\s*$")]
    private static partial Regex Line();

    [GeneratedRegex("(?<name>\\w+)=\"(?<value>[^\"]*)\"")]
    private static partial Regex Label();
}

using System.Text.RegularExpressions;
using Plimsoll.Numerics;

namespace Plimsoll.Diagnostics.Growth.Readers;

/// <summary>What a column of a table over time holds.</summary>
internal enum ColumnRole
{
    Other,
    Time,
    Steps,
    Tokens,

    /// <summary>Tells devices or processes apart.</summary>
    Identity,
    Used,
    Total,
    Free,

    /// <summary>What the driver keeps.</summary>
    Kept,

    /// <summary>The unit of the value in the same row.</summary>
    Unit,
}

/// <summary>A column by its name, as nvidia-smi, gpustat, nvitop, Weights &amp; Biases and people call it.</summary>
/// <param name="Unit">Bytes of one unit; null where the name does not tell.</param>
/// <param name="Device">The device that a wide table names in the column itself.</param>
internal readonly partial record struct ColumnName(ColumnRole Role, MemoryLedger Ledger, double? Unit, string Device)
{
    public static ColumnName Parse(string header)
    {
        var text = header.Trim().Trim('"', '\'', '\uFEFF').ToLowerInvariant();
        if (Collector().Match(text) is { Success: true } collector)
            return new(ColumnRole.Used, collector.Groups["pid"].Success ? MemoryLedger.Process : MemoryLedger.Device, ByteSize.MiB, collector.Groups["device"].Value + collector.Groups["pid"].Value);
        if (CollectorTotal().Match(text) is { Success: true } collectorTotal)
            return new(ColumnRole.Total, MemoryLedger.Device, ByteSize.MiB, collectorTotal.Groups["device"].Value);
        if (text.Contains('/') && !text.EndsWith("/timestamp", StringComparison.Ordinal))
            return default;
        var unit = NamedUnit().Match(text) is { Success: true } named ? SizeUnit.Bytes(named.Groups["unit"].Value) : null;
        var name = Separators().Replace(UnitSuffix().Replace(Bracket().Replace(text.Replace("/timestamp", "timestamp", StringComparison.Ordinal), ""), ""), "_").Trim('_');
        var (role, ledger) = Meaning(name);
        // nvidia-smi, gpustat and nvitop count in MiB, and their names have a point.
        return new(role, ledger, unit ?? (text.StartsWith("memory.", StringComparison.Ordinal) || text == "used_gpu_memory" ? ByteSize.MiB : null), "");
    }

    private static (ColumnRole Role, MemoryLedger Ledger) Meaning(string name) => name switch
    {
        "timestamp" or "time" or "date" or "datetime" or "ts" or "seconds" or "elapsed" or "query_time" or "wall_time" or "t" => (ColumnRole.Time, default),
        "step" or "steps" or "iteration" or "iter" or "global_step" or "epoch" or "batch" or "x" or "request" or "requests" => (ColumnRole.Steps, default),
        "tokens" or "token" or "num_tokens" or "context_length" => (ColumnRole.Tokens, default),
        "index" or "gpu" or "gpu_index" or "gpu_id" or "gpu_uuid" or "uuid" or "pci_bus_id" or "id" or "device" or "name" or "gpu_name" or "pid" or "rank" or "series" or "source" or "host" or "hostname" => (ColumnRole.Identity, default),
        "memory_total" or "mem_total" or "total_memory" or "gpu_memory_total" or "vram_total" or "total_vram" or "vram_total_memory" or "total" => (ColumnRole.Total, default),
        "memory_free" or "mem_free" or "free_memory" or "gpu_memory_free" or "free_vram" or "free" => (ColumnRole.Free, default),
        "memory_driver_reserved" => (ColumnRole.Kept, default),
        "memory_used" or "mem_used" or "used_memory" or "memory" or "mem" or "gpu_memory" or "gpu_mem" or "gpu_memory_used" or "gpu_mem_used" or "vram" or "vram_used" or "used_vram" or "vram_total_used_memory" or "used" or "bytes" or "value" or "memory_usage" => (ColumnRole.Used, MemoryLedger.Device),
        "used_gpu_memory" or "gpu_memory_usage" or "rss" or "process_memory" or "resident" => (ColumnRole.Used, MemoryLedger.Process),
        "allocated" or "memory_allocated" or "mem_allocated" or "gpu_allocated" or "cuda_allocated" or "allocated_memory" => (ColumnRole.Used, MemoryLedger.Allocated),
        "reserved" or "torch_reserved" or "mem_reserved" or "gpu_reserved" or "cuda_reserved" or "reserved_memory" or "memory_cached" => (ColumnRole.Used, MemoryLedger.Reserved),
        // Beside memory.used it is the driver's, beside memory_allocated the framework's: the table decides.
        "memory_reserved" => (ColumnRole.Kept, MemoryLedger.Reserved),
        "unit" => (ColumnRole.Unit, default),
        _ => default,
    };

    [GeneratedRegex(@"(?:^|/)cuda:\d+ \((?<device>gpu:\d+)\)/memory_used \(mib\)/mean$|(?:^|/)(?<pid>pid:\d+)/.*?\((?<device>gpu:\d+)\)/gpu_memory \(mib\)/mean$")]
    private static partial Regex Collector();

    [GeneratedRegex(@"(?:^|/)cuda:\d+ \((?<device>gpu:\d+)\)/memory_total \(mib\)(?:/mean)?$")]
    private static partial Regex CollectorTotal();

    [GeneratedRegex(@"[\[(](?<unit>bytes|[kmgt]?i?b|[kmg])[\])]|_(?<unit>bytes|[kmgt]i?b)$")]
    private static partial Regex NamedUnit();

    [GeneratedRegex(@"(?<=.)_(?:bytes|[kmgt]i?b)$")]
    private static partial Regex UnitSuffix();

    [GeneratedRegex(@"\s*[\[(].*[\])]$")]
    private static partial Regex Bracket();

    [GeneratedRegex(@"[\s.\-]+")]
    private static partial Regex Separators();
}

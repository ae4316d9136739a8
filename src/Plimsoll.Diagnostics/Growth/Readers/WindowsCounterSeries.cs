using System.Collections.Immutable;
using System.Text.RegularExpressions;

namespace Plimsoll.Diagnostics.Growth.Readers;

/// <summary>What <c>typeperf</c> and the performance monitor of Windows write: GPU memory by adapter and by process, and memory of processes, in bytes.</summary>
/// <remarks>The driver model of Windows has these figures where NVML has none. Names of counters are translated; the instances in them are not.</remarks>
internal static partial class WindowsCounterSeries
{
    private const string Mark = "\"(PDH-CSV";

    public static ImmutableArray<MemorySeries> Read(string text)
    {
        if (!text.AsSpan().TrimStart("\uFEFF \t\r\n").StartsWith(Mark, StringComparison.Ordinal))
            return [];
        var builder = new SeriesBuilder(SeriesAxis.Seconds);
        string[] headers = [];
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            var cells = Array.ConvertAll(line.Trim().TrimStart('\uFEFF').ToString().Split("\",\""), cell => cell.Trim('"', ' '));
            if (cells[0].StartsWith(Mark[1..], StringComparison.Ordinal))
                headers = cells;
            else if (cells.Length == headers.Length && Moment.TryParse(cells[0], out var at))
                AddRow(builder, headers, cells, at);
        }
        return builder.Build();
    }

    private static void AddRow(SeriesBuilder builder, string[] headers, string[] cells, double at)
    {
        for (var column = 1; column < headers.Length; column++)
        {
            if (!SizeUnit.TryParse(cells[column], out var bytes, out _))
                continue;
            if (Gpu().Match(headers[column]) is { Success: true } gpu)
            {
                var source = $"adapter 0x{gpu.Groups["adapter"].Value}";
                var process = gpu.Groups["pid"] is { Success: true } pid ? $" pid {pid.Value}" : "";
                builder.Add(source, $"{source}{process} {gpu.Groups["counter"].Value.ToLowerInvariant()}", process.Length > 0 ? MemoryLedger.Process : MemoryLedger.Device, at, bytes);
            }
            else if (Process().Match(headers[column]) is { Success: true } host)
            {
                builder.Add(MemorySeries.Host, $"{host.Groups["name"].Value} {host.Groups["counter"].Value.ToLowerInvariant()}", MemoryLedger.Process, at, bytes);
            }
        }
    }

    [GeneratedRegex(@"\((?:pid_(?<pid>\d+)_)?luid_0x[0-9A-Fa-f]+_0x0*(?<adapter>[0-9A-Fa-f]+)_phys_\d+\)\\(?<counter>.+)$", RegexOptions.CultureInvariant)]
    private static partial Regex Gpu();

    [GeneratedRegex(@"\\Process(?: V2)?\((?<name>[^)]+)\)\\(?<counter>Working Set|Private Bytes)$", RegexOptions.CultureInvariant)]
    private static partial Regex Process();
}

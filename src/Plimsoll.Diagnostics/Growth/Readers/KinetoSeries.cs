using System.Collections.Immutable;
using System.Text.Json;

namespace Plimsoll.Diagnostics.Growth.Readers;

/// <summary>The <c>[memory]</c> events of a PyTorch profiler trace (<c>profile_memory=True</c>): allocated and reserved after every allocation and release.</summary>
internal static class KinetoSeries
{
    private const int Cuda = 1;

    private const double MicrosecondsPerSecond = 1e6;

    public static ImmutableArray<MemorySeries> Read(JsonElement root, JsonElement events)
    {
        var samples = new List<(double At, string Source, double? Allocated, double? Reserved)>();
        foreach (var item in events.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Object || !item.TryGetProperty("name", out var name) || !name.ValueEquals("[memory]") || !item.TryGetProperty("args", out var args) || args.ValueKind != JsonValueKind.Object || Number(item, "ts") is not { } at)
                continue;
            var source = Number(args, "Device Type") == Cuda ? $"GPU {Number(args, "Device Id") ?? 0}" : "CPU";
            samples.Add((at / MicrosecondsPerSecond, source, Number(args, "Total Allocated"), Number(args, "Total Reserved")));
        }
        var builder = new SeriesBuilder(SeriesAxis.Seconds);
        // Events are written by thread, not by time.
        foreach (var (at, source, allocated, reserved) in samples.OrderBy(sample => sample.At))
        {
            if (allocated is { } inTensors)
                builder.Add(source, $"{source} allocated", MemoryLedger.Allocated, at, inTensors);
            if (reserved is > 0 and { } taken)
                builder.Add(source, $"{source} reserved", MemoryLedger.Reserved, at, taken);
        }
        if (root.TryGetProperty("deviceProperties", out var devices) && devices.ValueKind == JsonValueKind.Array)
        {
            foreach (var device in devices.EnumerateArray())
            {
                if (Number(device, "id") is { } id && Number(device, "totalGlobalMem") is { } total)
                    builder.SetTotal($"GPU {id}", total);
            }
        }
        return builder.Build();
    }

    private static double? Number(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : null;
}

using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Plimsoll.Diagnostics.Growth.Readers;

/// <summary>What trainers print of their allocator: <c>allocated: 1.89GB, reserved: 2.31GB</c>, and DeepSpeed's <c>MA … Max_MA … CA …</c>.</summary>
internal static partial class TrainingLogSeries
{
    public static ImmutableArray<MemorySeries> Read(string text)
    {
        var lines = new List<(string Source, double? Step, double Allocated, double Reserved)>();
        double? latest = null;
        foreach (var span in text.AsSpan().EnumerateLines())
        {
            if (!span.Contains("alloc", StringComparison.OrdinalIgnoreCase) && !span.Contains("MA ", StringComparison.Ordinal) && !span.Contains("step", StringComparison.OrdinalIgnoreCase) && !span.Contains("iter", StringComparison.OrdinalIgnoreCase))
                continue;
            var line = span.ToString();
            if (Step().Match(line) is { Success: true } step)
                latest = double.Parse(step.Groups["step"].Value, CultureInfo.InvariantCulture);
            var match = Allocator().Match(line) is { Success: true } named ? named : DeepSpeed().Match(line);
            if (!match.Success)
                continue;
            var device = Device().Match(line);
            lines.Add((device.Success ? $"GPU {device.Groups["device"].Value}" : "torch", latest, Size(match, "allocated"), Size(match, "reserved")));
        }
        // A step that a line of its own does not state, or that starts again, orders nothing.
        var counted = lines.GroupBy(line => line.Source).All(source => source.All(line => line.Step is not null) && source.Zip(source.Skip(1)).All(pair => pair.Second.Step > pair.First.Step));
        var builder = new SeriesBuilder(SeriesAxis.Steps);
        foreach (var source in lines.GroupBy(line => line.Source))
        {
            var index = 0;
            foreach (var line in source)
            {
                var at = counted ? line.Step!.Value : index++;
                builder.Add(source.Key, $"{source.Key} allocated", MemoryLedger.Allocated, at, line.Allocated);
                builder.Add(source.Key, $"{source.Key} reserved", MemoryLedger.Reserved, at, line.Reserved);
            }
        }
        return builder.Build();
    }

    private static double Size(Match match, string name) =>
        double.Parse(match.Groups[name].Value, CultureInfo.InvariantCulture) * (SizeUnit.Bytes(match.Groups[name + "Unit"].Value) ?? 1);

    [GeneratedRegex(@"allocated(?:\s+memory)?\s*[:=]?\s*(?<allocated>\d+(?:\.\d+)?)\s*(?<allocatedUnit>[KMGT]i?B|[KMGT]\b|bytes).{0,40}?(?:reserved|cached)(?:\s+memory)?\s*[:=]?\s*(?<reserved>\d+(?:\.\d+)?)\s*(?<reservedUnit>[KMGT]i?B|[KMGT]\b|bytes)", RegexOptions.IgnoreCase)]
    private static partial Regex Allocator();

    [GeneratedRegex(@"\bMA\s+(?<allocated>\d+(?:\.\d+)?)\s*(?<allocatedUnit>[KMGT]B)\s+Max_MA\s+\S+\s*[KMGT]B\s+CA\s+(?<reserved>\d+(?:\.\d+)?)\s*(?<reservedUnit>[KMGT]B)")]
    private static partial Regex DeepSpeed();

    [GeneratedRegex(@"\b(?:step|iter(?:ation)?)\b\s*[:=#]?\s*(?<step>\d+)", RegexOptions.IgnoreCase)]
    private static partial Regex Step();

    [GeneratedRegex(@"\b(?:GPU|cuda|rank)\s*:?\s*(?<device>\d+)", RegexOptions.IgnoreCase)]
    private static partial Regex Device();
}

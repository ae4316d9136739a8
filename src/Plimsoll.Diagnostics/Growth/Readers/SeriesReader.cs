using System.Collections.Immutable;

namespace Plimsoll.Diagnostics.Growth.Readers;

/// <summary>Memory over time from what monitors, exporters, profilers and trainers write.</summary>
public static class SeriesReader
{
    /// <summary>The series of a text; empty where it holds none.</summary>
    /// <exception cref="SeriesFormatException">It is a table over time without a memory column, or its memory is not available in any row.</exception>
    public static ImmutableArray<MemorySeries> Read(string text)
    {
        var start = text.AsSpan().TrimStart();
        if (start.StartsWith("{") || start.StartsWith("["))
        {
            var fromJson = JsonSeries.Read(text);
            if (!fromJson.IsEmpty)
                return fromJson;
        }
        foreach (var reader in (ReadOnlySpan<Func<string, ImmutableArray<MemorySeries>>>)[WindowsCounterSeries.Read, PrometheusSeries.Read, TrainingLogSeries.Read, CsvSeries.Read])
        {
            var series = reader(text);
            if (!series.IsEmpty)
                return series;
        }
        return [];
    }
}

using System.Collections.Immutable;

namespace Plimsoll.Diagnostics.Snapshots;

/// <summary>Live memory of one line of code, or of all the others, at every column.</summary>
public sealed record TimelineBand(string Name, ImmutableArray<long> Bytes);

/// <summary>Memory of a device over its trace, at no more columns than a picture has.</summary>
/// <param name="Events">Of every column the event before which its figures hold: of each stretch of the trace the one with most live.</param>
/// <param name="Bands">The lines of code that hold most at the moment that matters, then the others; together they are what was live.</param>
/// <param name="Reserved">Bytes that the allocator held.</param>
public sealed record MemoryTimeline(ImmutableArray<int> Events, ImmutableArray<TimelineBand> Bands, ImmutableArray<long> Reserved)
{
    private const int MaxColumns = 1000;
    private const int MaxSites = 8;

    public static MemoryTimeline Of(MemorySnapshot snapshot, DeviceMemory device)
    {
        var (live, reserved) = device.History.Timeline();
        var columns = Columns(live);
        var sites = device.Holders.Select(holder => holder.Site).Distinct().Take(MaxSites).ToList();
        var changes = new long[sites.Count + 1][];
        for (var i = 0; i < changes.Length; i++)
            changes[i] = new long[columns.Length + 1];
        var bands = new Dictionary<int, int>();
        foreach (var allocation in device.History.Allocations)
        {
            if (!bands.TryGetValue(allocation.Stack, out var band))
            {
                var site = sites.IndexOf(CodeSite.Of(snapshot.Stacks, allocation.Stack));
                bands[allocation.Stack] = band = site < 0 ? sites.Count : site;
            }
            changes[band][FirstAfter(columns, allocation.Start)] += allocation.Size;
            changes[band][FirstAfter(columns, allocation.End)] -= allocation.Size;
        }
        return new(
            [.. columns],
            [.. changes.Select((change, band) => new TimelineBand(band == sites.Count ? "others" : sites[band].ToString(), Sums(change)))],
            [.. columns.Select(column => reserved[column])]);
    }

    /// <summary>Of every stretch the place with most live, so that no peak is lost.</summary>
    private static int[] Columns(long[] live)
    {
        var count = Math.Min(MaxColumns, live.Length);
        var columns = new int[count];
        for (var i = 0; i < count; i++)
        {
            var (from, to) = ((int)((long)i * live.Length / count), (int)((long)(i + 1) * live.Length / count));
            columns[i] = Enumerable.Range(from, to - from).MaxBy(at => live[at]);
        }
        return columns;
    }

    /// <summary>The first column behind an event; one behind the last where there is none.</summary>
    private static int FirstAfter(int[] columns, int index)
    {
        var at = Array.BinarySearch(columns, index);
        return at < 0 ? ~at : at + 1;
    }

    private static ImmutableArray<long> Sums(long[] changes)
    {
        var sum = 0L;
        return [.. changes.Take(changes.Length - 1).Select(change => sum += change)];
    }
}

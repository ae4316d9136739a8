using System.Collections.Immutable;

namespace Plimsoll.Diagnostics.Snapshots;

/// <summary>How the allocator's memory is divided, at the end of the snapshot, in bytes.</summary>
/// <param name="Segments">Pieces taken from the device.</param>
/// <param name="Reserved">All of them.</param>
/// <param name="Live">In blocks that the program uses.</param>
/// <param name="Rounding">Of the live bytes those that nobody asked for.</param>
/// <param name="PendingFree">Of the live bytes those that the program freed and another stream may still use.</param>
/// <param name="Releasable">In segments without a live block: what empty_cache() gives back.</param>
/// <param name="Trapped">Free inside segments that are in use; only the same pool and stream can use it.</param>
/// <param name="LargestFree">The largest free block: the largest allocation that needs no new memory.</param>
public sealed record Fragmentation(int Segments, long Reserved, long Live, long Rounding, long PendingFree, long Releasable, long Trapped, long LargestFree)
{
    public long Free => Releasable + Trapped;

    /// <summary>0 when all free memory is one piece, near 1 when it is in crumbs: <c>1 - largest / free</c>.</summary>
    public double Index => Free == 0 ? 0 : 1 - (double)LargestFree / Free;

    /// <summary>Of one device.</summary>
    public static Fragmentation Of(MemorySnapshot snapshot, int device) => Of(snapshot, snapshot.Segments.Where(segment => segment.Device == device));

    /// <summary>By pool and stream, whose free memory serves no other; the largest first.</summary>
    public static ImmutableArray<(string Pool, ulong Stream, Fragmentation Memory)> ByPool(MemorySnapshot snapshot, int device) =>
    [
        .. snapshot.Segments.Where(segment => segment.Device == device)
            .GroupBy(segment => (Pool: segment.Pool == "(0, 0)" ? (segment.IsSmall ? "small" : "large") : $"{segment.Pool} {(segment.IsSmall ? "small" : "large")}", segment.Stream))
            .Select(group => (group.Key.Pool, group.Key.Stream, Memory: Of(snapshot, group)))
            .OrderByDescending(group => group.Memory.Reserved),
    ];

    private static Fragmentation Of(MemorySnapshot snapshot, IEnumerable<SnapshotSegment> segments)
    {
        var (count, reserved, live, rounding, pending, releasable, trapped, largest) = (0, 0L, 0L, 0L, 0L, 0L, 0L, 0L);
        foreach (var segment in segments)
        {
            var (used, free) = (0L, 0L);
            foreach (var block in snapshot.Blocks(segment))
            {
                if (!block.IsLive)
                {
                    free += block.Size;
                    largest = Math.Max(largest, block.Size);
                    continue;
                }
                used += block.Size;
                rounding += Math.Max(0, block.Size - block.Requested);
                if (block.State == BlockState.PendingFree)
                    pending += block.Size;
            }
            (count, reserved, live) = (count + 1, reserved + segment.Size, live + used);
            if (used == 0)
                releasable += free;
            else
                trapped += free;
        }
        return new(count, reserved, live, rounding, pending, releasable, trapped, largest);
    }
}

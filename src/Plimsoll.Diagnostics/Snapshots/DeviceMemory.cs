using System.Collections.Immutable;

namespace Plimsoll.Diagnostics.Snapshots;

/// <summary>At which moment memory is looked at.</summary>
public enum Moment
{
    OutOfMemory,
    Peak,
    End,
}

/// <summary>What failed.</summary>
/// <param name="Requested">Bytes, rounded to 512; the exception's text rounds large ones to 2 MiB.</param>
/// <param name="DeviceFree">Bytes that the driver called free.</param>
/// <param name="Site">Who asked.</param>
public sealed record FailedAllocation(long Requested, long DeviceFree, CodeSite Site, MemoryCategory Category);

/// <summary>A device at the moment that matters: when memory ran out, else at the peak of the trace, else at the end.</summary>
/// <param name="EventIndex">The event before which it was so; <see cref="AllocationHistory.AtEnd"/> at the end.</param>
/// <param name="Live">Bytes in tensors then.</param>
/// <param name="Reserved">Bytes that the allocator held then.</param>
/// <param name="LargestBlocks">The largest allocations then.</param>
public sealed record DeviceMemory(
    int Device, Moment Moment, int EventIndex, long Live, long Reserved, FailedAllocation? Failed, ImmutableArray<Holder> Holders, ImmutableArray<Allocation> LargestBlocks,
    Fragmentation AtEnd, ImmutableArray<(string Pool, ulong Stream, Fragmentation Memory)> Pools, ImmutableArray<LeakCandidate> Leaks, AllocationHistory History)
{
    private const int LargestCount = 10;

    /// <summary>Reserved bytes that were in no tensor then.</summary>
    public long Unused => Math.Max(0, Reserved - Live);

    public static DeviceMemory Of(MemorySnapshot snapshot, int device)
    {
        var history = AllocationHistory.Of(snapshot, device);
        var failedAt = history.First(TraceAction.OutOfMemory);
        var (moment, index) = failedAt is { } at ? (Moment.OutOfMemory, at) : Peak(history);
        var live = history.LiveAt(index).ToList();
        return new(
            device, moment, index, live.Sum(allocation => allocation.Size), history.ReservedAt(index), failedAt is { } event_ ? Failure(snapshot, snapshot.Event(device, event_)) : null,
            Snapshots.Holders.Of(snapshot.Stacks, live), [.. live.OrderByDescending(allocation => allocation.Size).Take(LargestCount)],
            Fragmentation.Of(snapshot, device), Fragmentation.ByPool(snapshot, device), StepGrowth.Find(snapshot, history), history);
    }

    private static FailedAllocation Failure(MemorySnapshot snapshot, TraceEvent event_) =>
        new(event_.Size, (long)Math.Min(event_.Address, (ulong)SnapshotReader.MaxBytes), CodeSite.Of(snapshot.Stacks, event_.Stack), MemoryCategories.Of(snapshot.Stacks, event_.Stack));

    private static (Moment, int) Peak(AllocationHistory history)
    {
        var live = history.Timeline().Live;
        var peak = Array.IndexOf(live, live.Max());
        return live[peak] > live[^1] ? (Moment.Peak, peak) : (Moment.End, AllocationHistory.AtEnd);
    }
}

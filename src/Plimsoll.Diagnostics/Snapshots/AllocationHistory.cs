using System.Collections.Immutable;

namespace Plimsoll.Diagnostics.Snapshots;

/// <summary>Memory of one allocation, and from which event to which it lived.</summary>
/// <param name="Size">Bytes as the allocator counts them: exact where the block is still there, else rounded up to 512.</param>
/// <param name="Requested">Bytes that the program asked for.</param>
/// <param name="Stack">Who allocated it; <see cref="StackTable.None"/> where that was not recorded.</param>
/// <param name="Start">The event that made it; -1 for what is older than the trace.</param>
/// <param name="End">The event that freed it; <see cref="int.MaxValue"/> for what was there at the end.</param>
public readonly record struct Allocation(ulong Address, long Size, long Requested, int Stack, int Start, int End)
{
    /// <summary>Whether it lived when event number <paramref name="index"/> happened.</summary>
    public bool LivesAt(int index) => Start < index && End >= index;
}

/// <summary>Every allocation of a device with its lifetime, from the blocks at the end and the trace before it.</summary>
/// <remarks>
/// The trace is a ring: it may free what it never saw allocated. A free names who freed, so the stack of an allocation comes from its own event, or from its block.
/// </remarks>
public sealed class AllocationHistory
{
    /// <summary>The index of the state at the end, after every event.</summary>
    public const int AtEnd = int.MaxValue;

    /// <summary>The allocator's smallest unit (kMinBlockSize, c10/cuda/CUDACachingAllocator.cpp).</summary>
    private const long Unit = 512;

    private readonly MemorySnapshot _snapshot;
    private readonly long _reservedAtEnd;

    private AllocationHistory(MemorySnapshot snapshot, int device, ImmutableArray<Allocation> allocations, long reservedAtEnd) =>
        (_snapshot, Device, Allocations, _reservedAtEnd) = (snapshot, device, allocations, reservedAtEnd);

    public int Device { get; }

    public int EventCount => _snapshot.EventCountOf(Device);

    public ImmutableArray<Allocation> Allocations { get; }

    public static AllocationHistory Of(MemorySnapshot snapshot, int device)
    {
        var allocations = new List<Allocation>();
        var open = Replay(snapshot, device, allocations);
        var reserved = 0L;
        foreach (var segment in snapshot.Segments.Where(segment => segment.Device == device))
        {
            reserved += segment.Size;
            var at = segment.Address;
            foreach (var block in snapshot.Blocks(segment))
            {
                // torch 1.13 stored no addresses of blocks; they lie one after the other.
                var address = block.Address == 0 ? at : block.Address;
                at = address + (ulong)block.Size;
                if (!block.IsLive)
                    continue;
                if (open.TryGetValue(address, out var number))
                    allocations[number] = allocations[number] with { Size = block.Size };
                else
                    allocations.Add(new(address, block.Size, block.Requested, block.Stack, -1, AtEnd));
            }
        }
        return new(snapshot, device, [.. allocations], reserved);
    }

    public IEnumerable<Allocation> LiveAt(int index) => Allocations.Where(allocation => allocation.LivesAt(index));

    /// <summary>Bytes that the allocator held when event number <paramref name="index"/> happened: what it has at the end, with later events undone.</summary>
    public long ReservedAt(int index)
    {
        var reserved = _reservedAtEnd;
        for (var i = EventCount - 1; i >= index; i--)
            reserved -= SegmentChange(_snapshot.Event(Device, i));
        return reserved;
    }

    /// <summary>The number of the first event of this kind; null when there is none.</summary>
    public int? First(TraceAction action)
    {
        for (var i = 0; i < EventCount; i++)
        {
            if (_snapshot.Event(Device, i).Action == action)
                return i;
        }
        return null;
    }

    /// <summary>Live and reserved bytes before every event, and at the end.</summary>
    public (long[] Live, long[] Reserved) Timeline()
    {
        var (live, reserved) = (new long[EventCount + 1], new long[EventCount + 1]);
        foreach (var allocation in Allocations)
        {
            live[allocation.Start + 1] += allocation.Size;
            if (allocation.End < EventCount)
                live[allocation.End + 1] -= allocation.Size;
        }
        for (var i = 1; i < live.Length; i++)
            live[i] += live[i - 1];
        reserved[EventCount] = _reservedAtEnd;
        for (var i = EventCount - 1; i >= 0; i--)
            reserved[i] = reserved[i + 1] - SegmentChange(_snapshot.Event(Device, i));
        return (live, reserved);
    }

    private static long SegmentChange(TraceEvent happened) => happened.Action switch
    {
        TraceAction.SegmentAlloc or TraceAction.SegmentMap => happened.Size,
        TraceAction.SegmentFree or TraceAction.SegmentUnmap => -happened.Size,
        _ => 0,
    };

    /// <summary>Plays the trace forward; returns by address the allocations that are open at its end.</summary>
    private static Dictionary<ulong, int> Replay(MemorySnapshot snapshot, int device, List<Allocation> allocations)
    {
        var open = new Dictionary<ulong, int>();
        for (var i = 0; i < snapshot.EventCountOf(device); i++)
        {
            var happened = snapshot.Event(device, i);
            if (happened.Action is not (TraceAction.Alloc or TraceAction.FreeCompleted))
                continue;
            var known = open.Remove(happened.Address, out var number);
            if (known)
                allocations[number] = allocations[number] with { End = i };
            if (happened.Action == TraceAction.Alloc)
            {
                open[happened.Address] = allocations.Count;
                allocations.Add(new(happened.Address, Rounded(happened.Size), happened.Size, happened.Stack, i, AtEnd));
            }
            else if (!known)
            {
                allocations.Add(new(happened.Address, Rounded(happened.Size), happened.Size, StackTable.None, -1, i));
            }
        }
        return open;
    }

    private static long Rounded(long size) => Math.Max(Unit, (size + Unit - 1) / Unit * Unit);
}

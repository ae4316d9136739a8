using System.Collections.Immutable;
using Plimsoll.Checkpoints.Bytes;

namespace Plimsoll.Diagnostics.Snapshots;

/// <summary>What torch's caching allocator did.</summary>
public enum TraceAction : byte
{
    Other,
    Alloc,
    FreeRequested,
    FreeCompleted,
    SegmentAlloc,
    SegmentFree,
    SegmentMap,
    SegmentUnmap,
    Snapshot,
    OutOfMemory,
}

/// <summary>One event of a device's trace.</summary>
/// <param name="Address">Unsigned; of an out-of-memory event the bytes that the device had free.</param>
/// <param name="Size">Bytes: of an allocation what was asked for, of a segment what was reserved.</param>
/// <param name="Time">Microseconds since 1970; 0 where the writer stored none.</param>
/// <param name="Stack">Into <see cref="StackTable"/>: of a free it is who freed.</param>
public readonly record struct TraceEvent(ulong Address, long Size, long Time, ulong Stream, int Stack, TraceAction Action);

public enum BlockState : byte
{
    Inactive,
    Allocated,

    /// <summary>Freed by the program, while another stream may still use it.</summary>
    PendingFree,
}

/// <summary>A piece of a segment.</summary>
/// <param name="Size">Bytes, rounded as the allocator does.</param>
/// <param name="Requested">Bytes that the program asked for; of an inactive block of no meaning.</param>
public readonly record struct SnapshotBlock(ulong Address, long Size, long Requested, BlockState State, int Stack)
{
    public bool IsLive => State != BlockState.Inactive;
}

/// <summary>Memory that the allocator took from the device in one piece.</summary>
/// <param name="IsSmall">Of the pool for blocks of at most 1 MiB.</param>
/// <param name="Pool">The pool's two numbers: <c>(0, 0)</c> is the common one, others belong to CUDA graphs or the program.</param>
public sealed record SnapshotSegment(int Device, ulong Address, long Size, ulong Stream, bool IsSmall, string Pool, bool IsExpandable, int FirstBlock, int BlockCount);

/// <summary>A mark that the profiler left: START or END of a step, of an optimizer, of a data loader.</summary>
public sealed record SnapshotAnnotation(string Stage, string Name, int Device, long Time);

/// <summary>What torch.cuda.memory._dump_snapshot wrote: the allocator's segments at the end, and what happened before.</summary>
public sealed class MemorySnapshot
{
    private readonly PagedList<SnapshotBlock> _blocks;
    private readonly PagedList<TraceEvent> _events;
    private readonly ImmutableArray<(int First, int Count)> _traces;

    internal MemorySnapshot(
        string path, StackTable stacks, PagedList<SnapshotBlock> blocks, PagedList<TraceEvent> events, ImmutableArray<(int First, int Count)> traces,
        ImmutableArray<SnapshotSegment> segments, ImmutableArray<SnapshotAnnotation> annotations, ImmutableArray<(string Name, string Value)> settings)
    {
        (Path, Stacks, _blocks, _events, _traces) = (path, stacks, blocks, events, traces);
        (Segments, Annotations, Settings) = (segments, annotations, settings);
    }

    public string Path { get; }

    public StackTable Stacks { get; }

    public ImmutableArray<SnapshotSegment> Segments { get; }

    /// <summary>Empty before torch 2.3.</summary>
    public ImmutableArray<SnapshotAnnotation> Annotations { get; }

    /// <summary>The allocator's settings, as the file has them; empty before torch 2.3.</summary>
    public ImmutableArray<(string Name, string Value)> Settings { get; }

    /// <summary>Devices that hold memory or have a trace, ascending.</summary>
    public ImmutableArray<int> Devices =>
        [.. Segments.Select(segment => segment.Device).Concat(Enumerable.Range(0, _traces.Length).Where(device => _traces[device].Count > 0)).Distinct().Order()];

    public int EventCount => _events.Count;

    public int EventCountOf(int device) => device < _traces.Length ? _traces[device].Count : 0;

    public TraceEvent Event(int device, int index) => _events[_traces[device].First + index];

    public IEnumerable<SnapshotBlock> Blocks(SnapshotSegment segment)
    {
        for (var i = 0; i < segment.BlockCount; i++)
            yield return _blocks[segment.FirstBlock + i];
    }
}

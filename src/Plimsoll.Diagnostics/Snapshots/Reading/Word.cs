namespace Plimsoll.Diagnostics.Snapshots.Reading;

/// <summary>The keys of a snapshot, as torch writes them (torch/csrc/cuda/memory_snapshot.cpp, Module.cpp); the numbers are the first of the table of texts.</summary>
internal enum Word
{
    None,
    Action,
    Addr,
    Address,
    ActiveSize,
    AllocatedSize,
    AllocatorSettings,
    Blocks,
    Device,
    DeviceFree,
    DeviceTraces,
    ExternalAnnotations,
    Filename,
    Frames,
    History,
    IsExpandable,
    Line,
    Name,
    RealSize,
    RequestedSize,
    SegmentPoolId,
    Segments,
    SegmentType,
    Size,
    Stage,
    State,
    Stream,
    TimeMicroseconds,
    TotalSize,
}

internal static class Words
{
    /// <summary>In the order of <see cref="Word"/>.</summary>
    public static readonly string[] Names =
    [
        "", "action", "addr", "address", "active_size", "allocated_size", "allocator_settings", "blocks", "device", "device_free", "device_traces", "external_annotations",
        "filename", "frames", "history", "is_expandable", "line", "name", "real_size", "requested_size", "segment_pool_id", "segments", "segment_type", "size", "stage", "state",
        "stream", "time_us", "total_size",
    ];

    public static string Name(this Word word) => Names[(int)word];
}

namespace Plimsoll.Checkpoints.Pickle;

/// <summary>How much a pickle may make its reader keep.</summary>
public sealed record PickleLimits
{
    /// <summary>Open marks, that is lists and tuples under construction inside each other. Python's own pickler gives up at its recursion limit of 1,000.</summary>
    public int MaxDepth { get; init; } = 1000;

    /// <summary>Values made, where a container counts as four: about a third of a gigabyte at most. A tensor costs about 40, with an optimizer's state 120.</summary>
    public long MaxValues { get; init; } = 20_000_000;

    /// <summary>Bytes of one string.</summary>
    public int MaxTextBytes { get; init; } = 64 << 20;

    /// <summary>Bytes of one integer; 77 bits (the magic number of torch.save) is the widest in use.</summary>
    public int MaxIntegerBytes { get; init; } = 64;

    /// <summary>For checkpoints, whose pickle only describes the tensors.</summary>
    public static PickleLimits Checkpoint { get; } = new();

    /// <summary>For memory snapshots, which are all pickle: a million trace events with frames are about 150 MB and 40 million values.</summary>
    public static PickleLimits Snapshot { get; } = new() { MaxValues = 1_000_000_000 };
}

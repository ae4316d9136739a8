namespace Plimsoll.Checkpoints.Pickle;

/// <summary>How much a pickle may make its reader keep.</summary>
public sealed record PickleLimits
{
    /// <summary>Open marks: lists and tuples under construction inside each other. Python's own pickler gives up at its recursion limit of 1,000.</summary>
    public int MaxDepth { get; init; } = 1000;

    /// <summary>Values made, where a container counts as five: some 200 MB at most. A tensor costs about 40, with an optimizer's state 120.</summary>
    public long MaxValues { get; init; } = 5_000_000;

    /// <summary>Bytes of one string.</summary>
    public int MaxTextBytes { get; init; } = 64 << 20;

    /// <summary>Bytes of one integer; 77 bits (the magic number of torch.save) is the widest in use.</summary>
    public int MaxIntegerBytes { get; init; } = 64;

    /// <summary>For checkpoints, whose pickle only describes the tensors.</summary>
    public static PickleLimits Checkpoint { get; } = new();

    /// <summary>For memory snapshots, which are all pickle: real ones make a value of every three or four bytes, so this is reached beyond 1.5 GB.</summary>
    public static PickleLimits Snapshot { get; } = new() { MaxValues = 500_000_000 };
}

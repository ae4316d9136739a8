namespace Plimsoll.Diagnostics.Snapshots.Reading;

/// <summary>What was made of a value of the file.</summary>
internal enum NodeKind : byte
{
    None,
    Boolean,
    Integer,
    Number,
    Text,

    /// <summary>A sequence or dictionary without meaning of its own: the allocator's settings, or something newer than this reader.</summary>
    Sequence,
    Dictionary,

    Frame,
    Stack,
    Block,
    Segment,
    Event,
    Annotation,
    History,

    /// <summary>The whole snapshot.</summary>
    Root,
}

/// <summary>A value, or the place where it was put: a row of the snapshot's tables.</summary>
/// <param name="Value">The integer, the bits of the number, or the first row.</param>
/// <param name="Count">How many rows; a single thing is 0, a list of one thing 1.</param>
internal readonly record struct Node(NodeKind Kind, int Count, long Value)
{
    public bool IsEmptySequence => Kind == NodeKind.Sequence && Count == 0;
}

using System.Collections.Frozen;

namespace Plimsoll.Checkpoints.Pickle;

/// <summary>The Python names that a pickle may mention. Nothing is ever imported or called: a name only becomes a label in the value tree.</summary>
/// <param name="Description">What the list allows, for the message that refuses a name.</param>
public sealed record PickleGlobals(string Description, FrozenSet<string> Names)
{
    /// <summary>No names at all: memory snapshots are lists, dictionaries, strings and numbers.</summary>
    public static PickleGlobals None { get; } = new("plain values without any Python name", FrozenSet<string>.Empty);

    public bool Allows(PickleGlobal global) => Names.Contains(global.ToString());
}

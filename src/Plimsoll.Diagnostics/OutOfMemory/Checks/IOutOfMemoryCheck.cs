using System.Collections.Immutable;

namespace Plimsoll.Diagnostics.OutOfMemory.Checks;

/// <summary>Looks for one kind of cause in an event.</summary>
internal interface IOutOfMemoryCheck
{
    /// <summary>One for every name that a finding of it can have.</summary>
    ImmutableArray<Rule> Rules { get; }

    IEnumerable<Finding> Run(OutOfMemoryCase found);
}

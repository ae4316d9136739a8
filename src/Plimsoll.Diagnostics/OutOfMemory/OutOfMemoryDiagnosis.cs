using System.Collections.Immutable;
using Plimsoll.Diagnostics.OutOfMemory.Checks;

namespace Plimsoll.Diagnostics.OutOfMemory;

/// <summary>Why a job ran out of memory, from its log.</summary>
/// <param name="Case">The event that came first: with several ranks the others usually fail because of it. Null when the log has none.</param>
/// <param name="Findings">Causes first, the most certain of them first.</param>
/// <param name="Events">Every event of the log.</param>
public sealed record OutOfMemoryDiagnosis(OutOfMemoryCase? Case, ImmutableArray<Finding> Findings, ImmutableArray<OutOfMemoryEvent> Events)
{
    private static readonly ImmutableArray<IOutOfMemoryCheck> Checks =
    [
        new RequestCheck(), new SingleAllocationCheck(), new CapCheck(), new OtherProcessesCheck(), new FragmentationCheck(), new ProcessNeedCheck(), new AllocatorNotesCheck(),
        new ServingCheck(), new GgmlCheck(), new HostCheck(), new LibraryCheck(), new FrameworkCheck(),
    ];

    /// <summary>Whether anything ran out; a log with only look-alikes has findings and no such event.</summary>
    public bool HasOutOfMemory => Case is { Event.Kind: not MemoryKind.None, Event.Recovered: false };

    /// <param name="batch">Samples of a step on one device, as the user says; null reads it from the log where that states it.</param>
    public static OutOfMemoryDiagnosis Of(LogText log, int? batch = null)
    {
        var events = OutOfMemoryReader.Find(log);
        if (First(events) is not { } first)
            return new(null, [], events);
        var found = OutOfMemoryCase.Create(log, first, batch);
        // Sorting is stable: of equally sure causes the check that comes first in the list is the more particular one.
        var findings = Checks.SelectMany(check => check.Run(found)).OrderBy(finding => finding.Severity).ThenByDescending(finding => finding.Certainty).ToImmutableArray();
        return new(found, findings, events);
    }

    /// <summary>The first event that ended something; one with numbers is preferred to a bare one beside it.</summary>
    private static OutOfMemoryEvent? First(ImmutableArray<OutOfMemoryEvent> events)
    {
        var fatal = events.Where(found => found is { Recovered: false, Kind: not MemoryKind.None }).ToList();
        if (fatal.Count == 0)
            return events.FirstOrDefault();
        var first = fatal[0];
        return first.Ledger.Requested is null && first.Serving is null && fatal.FirstOrDefault(found => found.Ledger.Requested is not null || found.Serving is not null) is { } richer ? richer : first;
    }
}

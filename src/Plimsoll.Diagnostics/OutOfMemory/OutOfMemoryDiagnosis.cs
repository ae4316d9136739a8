using System.Collections.Immutable;
using Plimsoll.Diagnostics.OutOfMemory.Checks;

namespace Plimsoll.Diagnostics.OutOfMemory;

/// <summary>Why a job ran out of memory, from its log.</summary>
/// <param name="Case">The event that came first: with several ranks the others usually fail because of it. Null when the log has none.</param>
/// <param name="Findings">Causes first, the most particular of them first.</param>
/// <param name="Events">Every event of the log.</param>
public sealed record OutOfMemoryDiagnosis(OutOfMemoryCase? Case, ImmutableArray<Finding> Findings, ImmutableArray<OutOfMemoryEvent> Events)
{
    private static readonly ImmutableArray<IOutOfMemoryCheck> Checks =
    [
        new RequestCheck(), new SingleAllocationCheck(), new CapCheck(), new PagedToHostCheck(), new OtherProcessesCheck(), new FailedThoughFreeCheck(), new FragmentationCheck(),
        new AllocatorNotesCheck(), new ServingCheck(), new GgmlCheck(), new HostCheck(), new LibraryCheck(), new FrameworkCheck(),
    ];

    private static readonly ProcessNeedCheck Fallback = new();

    /// <summary>Everything that is looked for in a log.</summary>
    public static ImmutableArray<Rule> Rules => [.. Checks.Append(Fallback).SelectMany(check => check.Rules)];

    /// <summary>Whether anything ran out; a log with only look-alikes has findings and no such event.</summary>
    public bool HasOutOfMemory => Case is { Event.Kind: not MemoryKind.None, Event.Recovered: false };

    /// <param name="batch">Samples of a step on one device, as the user says; null reads it from the log where that states it.</param>
    public static OutOfMemoryDiagnosis Of(LogText log, int? batch = null)
    {
        var events = OutOfMemoryReader.Find(log);
        if (First(events) is not { } first)
            return new(null, [], events);
        var found = OutOfMemoryCase.Create(log, first, batch);
        var findings = Checks.SelectMany(check => check.Run(found)).ToList();
        // Without a more particular cause the job itself needs too much; trapped memory may be only half of the story.
        if (!findings.Any(finding => finding is { Severity: Severity.Cause, Check: not FragmentationCheck.Name }))
            findings.AddRange(Fallback.Run(found));
        // Sorting is stable: the list of checks goes from the particular to the general.
        return new(found, [.. findings.OrderBy(finding => finding.Severity)], events);
    }

    /// <summary>The first event that ended something; one with numbers is preferred to a bare one beside it.</summary>
    private static OutOfMemoryEvent? First(ImmutableArray<OutOfMemoryEvent> events)
    {
        var fatal = events.Where(found => found is { Recovered: false, Kind: not MemoryKind.None }).ToList();
        if (fatal.Count == 0)
            return events.FirstOrDefault();
        var first = fatal[0];
        return first.Ledger.Requested is null && first.Serving is null && fatal.FirstOrDefault(found => found.Kind == first.Kind && (found.Ledger.Requested is not null || found.Serving is not null)) is { } richer ? richer : first;
    }
}

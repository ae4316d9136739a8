using System.Collections.Immutable;

namespace Plimsoll.Diagnostics.Snapshots;

/// <summary>A line of code of which every step leaves something behind.</summary>
/// <param name="Steps">Steps of which something was still there at the end.</param>
/// <param name="BytesPerStep">The median of what a step left.</param>
public sealed record LeakCandidate(CodeSite Site, int Steps, long BytesPerStep, int Count, long Bytes);

/// <summary>Growth from step to step within one snapshot; the optimizer's own marks tell where steps end.</summary>
public static class StepGrowth
{
    /// <summary>Whole steps that are needed to call something a habit.</summary>
    private const int MinSteps = 3;

    /// <summary>Times at which an optimizer had stepped.</summary>
    public static ImmutableArray<long> Boundaries(MemorySnapshot snapshot, int device) =>
    [
        .. snapshot.Annotations
            .Where(mark => mark.Device == device && mark.Stage == "END" && mark.Name.StartsWith("Optimizer.step", StringComparison.Ordinal))
            .Select(mark => mark.Time).Order(),
    ];

    /// <summary>What every whole step but the first left until the end. The first makes the optimizer's states, and what is younger than the last boundary may still be in use.</summary>
    public static ImmutableArray<LeakCandidate> Find(MemorySnapshot snapshot, AllocationHistory history)
    {
        var boundaries = Boundaries(snapshot, history.Device);
        var steps = boundaries.Length - 1;
        if (steps < MinSteps)
            return [];
        return
        [
            .. history.LiveAt(AllocationHistory.AtEnd)
                .Where(allocation => allocation.Start >= 0)
                .Select(allocation => (Allocation: allocation, Step: Step(allocation)))
                .Where(kept => kept.Step >= 0 && kept.Step < steps)
                .GroupBy(kept => CodeSite.Of(snapshot.Stacks, kept.Allocation.Stack))
                .Select(site => (Site: site.Key, Steps: site.GroupBy(kept => kept.Step).Select(step => step.Sum(kept => kept.Allocation.Size)).Order().ToList(), Kept: site))
                .Where(site => site.Steps.Count == steps)
                .Select(site => new LeakCandidate(site.Site, steps, site.Steps[steps / 2], site.Kept.Count(), site.Steps.Sum()))
                .OrderByDescending(candidate => candidate.BytesPerStep),
        ];

        int Step(Allocation allocation)
        {
            var time = snapshot.Event(history.Device, allocation.Start).Time;
            var index = boundaries.BinarySearch(time);
            return (index < 0 ? ~index : index) - 1;
        }
    }
}

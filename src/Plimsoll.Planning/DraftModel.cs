using System.Collections.Immutable;
using Plimsoll.Planning.Plans;

namespace Plimsoll.Planning;

/// <summary>Adds the memory of a draft model to the plan of the model it drafts for.</summary>
public static class DraftModel
{
    /// <summary>The plan of both in one process: the draft's own buffers on the first device, the driver's share counted once.</summary>
    public static MemoryPlan Add(MemoryPlan target, MemoryPlan draft)
    {
        var own = draft.Fullest;
        return target with
        {
            Devices = [.. target.Devices.Select((device, index) => index == 0 || device.Name.StartsWith("each", StringComparison.Ordinal) ? Join(device, own) : device)],
            Confidence = (Models.Confidence)Math.Min((int)target.Confidence, (int)draft.Confidence),
            Notes = [.. target.Notes, .. draft.Notes.Select(note => $"draft: {note}")],
            Impossible = target.Impossible ?? draft.Impossible,
        };
    }

    private static DevicePlan Join(DevicePlan device, DevicePlan draft) =>
        device with { Phases = [.. device.Phases.Select(phase => phase with { Lines = phase.Lines.AddRange(Lines(draft, phase.Name)) })] };

    private static ImmutableArray<PlanLine> Lines(DevicePlan draft, string phase) =>
        draft.Phases.FirstOrDefault(candidate => candidate.Name == phase) is { } own
            ? [.. own.Lines.Where(line => line.Place == MemoryPlace.Device).Select(line => line with { Name = $"draft: {line.Name}" })]
            : [];
}

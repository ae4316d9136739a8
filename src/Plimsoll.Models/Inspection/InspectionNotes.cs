using Plimsoll.Checkpoints.Layouts;
using Plimsoll.Numerics;

namespace Plimsoll.Models.Inspection;

/// <summary>What is worth knowing about a checkpoint and wrong with nothing.</summary>
internal static class InspectionNotes
{
    public static IEnumerable<string> Find(CheckpointInspection inspection)
    {
        foreach (var note in inspection.Shape?.Notes ?? [])
            yield return note;
        if (inspection.ShapeRefusal is { } refusal)
            yield return $"What the architecture expects is not known: {refusal}.";
        if (inspection.Storages.Count(storage => storage.Kind == StorageKind.Alias) is > 0 and var aliases)
            yield return $"{InspectionProblem.Count(aliases, "parameter", "shares", "share")} the bytes of another (tied) and is counted once.".Replace("share the bytes of another (tied) and is", "share the bytes of another (tied) and are", StringComparison.Ordinal);
        if (Optimizer(inspection) is { } optimizer)
            yield return optimizer;
        if (DifferentType(inspection) is { } type)
            yield return type;
        if (OtherNames(inspection) is { } names)
            yield return names;
        if (Towers(inspection) is { } towers)
            yield return towers;
    }

    private static string? Optimizer(CheckpointInspection inspection)
    {
        var states = inspection.Storages.Where(storage => storage.Kind == StorageKind.Optimizer).ToList();
        if (states.Count == 0)
            return null;
        var name = OptimizerState.Recognize(states.Select(storage => storage.Name)) ?? "an optimizer that is not known";
        return $"{new ByteSize(inspection.OptimizerBytes)} of {states.Count:N0} tensors are the state of {name}; inference does not need them.";
    }

    /// <summary>transformers converts to the stated type while loading, unless told to keep what is stored.</summary>
    private static string? DifferentType(CheckpointInspection inspection)
    {
        if (inspection.Shape?.PublishedType is not { } stated || inspection.Quantization is not null || inspection.Checkpoint?.Gguf is not null
            || inspection.Types is not [var main, ..] || NumberFormats.Find(stated) is not { } format || format.Name == main.Name)
            return null;
        return $"config.json states {stated}, most weights are stored as {main.Name}.";
    }

    private static string? OtherNames(CheckpointInspection inspection) => ArchitectureDifference.Of(inspection) is { IsNamingOnly: true } difference
        ? $"{InspectionProblem.Count(difference.Extra.Length, "tensor", "has a name", "have names")} that this architecture is not known by here; the parameter count agrees."
        : null;

    private static string? Towers(CheckpointInspection inspection) => ArchitectureDifference.Of(inspection) is { IsNamingOnly: false, Beside: { IsEmpty: false } beside }
        ? $"{InspectionProblem.Count(beside.Length, "tensor", "is", "are")} of parts that the architecture '{inspection.Shape!.Architecture}' is not known to have here (a vision or audio tower, next-token prediction): {InspectionProblem.Examples([.. beside.Select(storage => storage.Name)])}."
        : null;
}

using Plimsoll.Checkpoints.Layouts;

namespace Plimsoll.Models.Inspection.Checks;

/// <summary>Tensors without elements: what DeepSpeed ZeRO-3 leaves when a model is saved without gathering its parameters first.</summary>
internal static class EmptyTensorsCheck
{
    public const string Name = "empty-tensors";

    public static IEnumerable<InspectionProblem> Find(CheckpointInspection inspection)
    {
        var empty = inspection.Storages.Where(storage => storage.Kind == StorageKind.Parameter && storage.Parts.All(part => part.Header.Elements == 0)).Select(storage => storage.Name).ToList();
        if (empty.Count > 0)
        {
            yield return InspectionProblem.Error(Name,
                $"{InspectionProblem.Count(empty.Count, "tensor", "has", "have")} no elements ({InspectionProblem.Examples(empty)}); DeepSpeed ZeRO-3 writes such files when the weights are not gathered before saving.", empty);
        }
    }
}

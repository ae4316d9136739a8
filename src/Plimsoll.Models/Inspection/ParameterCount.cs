using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.Layouts;

namespace Plimsoll.Models.Inspection;

/// <summary>Counts the parameters of a model: each packed weight once, scales and constants not at all.</summary>
internal static class ParameterCount
{
    public static CheckpointInspection Apply(CheckpointInspection inspection)
    {
        if (inspection.Kind is CheckpointKind.Vocabulary or CheckpointKind.ImportanceMatrix)
            return inspection;
        if (!inspection.IsComplete)
        {
            return inspection.Shape is { } shape
                ? inspection with { Parameters = shape.Parameters, ParametersNote = "of the architecture, as files are missing" + Beside(inspection.Checkpoint?.Index, shape) }
                : inspection with { ParametersNote = "not all files are there, and the architecture is not known" };
        }
        var counted = 0L;
        var unknown = new List<ParameterStorage>();
        var derived = 0;
        foreach (var storage in inspection.Storages.Where(storage => storage.Kind == StorageKind.Parameter))
        {
            if (inspection.ElementsOf(storage) is { } elements)
                counted = checked(counted + elements);
            else
                unknown.Add(storage);
            derived += storage.Elements is null ? 1 : 0;
        }
        if (unknown.Count == 0)
            return inspection with { Parameters = counted, ParametersNote = derived > 0 ? $"{derived:N0} packed ones as the architecture has them" : null };
        return inspection with
        {
            ParametersNote = $"{InspectionProblem.Count(unknown.Count, "packed parameter", "does", "do")} not tell how many weights they hold "
                + $"({InspectionProblem.Examples([.. unknown.Select(storage => storage.TypeName).Distinct()])})",
        };
    }

    /// <summary>GPTQ packers write a bias of zeros for every layer.</summary>
    private static bool IsPackerBias(ShardIndex index, string name) => name.EndsWith(".bias", StringComparison.Ordinal) && index.WeightMap.ContainsKey(name[..^"bias".Length] + "qweight");

    /// <summary>What the index lists beyond the architecture: a tower of which only the names are at hand.</summary>
    private static string Beside(ShardIndex? index, ModelShape shape)
    {
        if (index is null)
            return "";
        var known = shape.Tensors.Select(tensor => TensorName.Key(tensor.Name)).ToHashSet(StringComparer.Ordinal);
        var beside = index.WeightMap.Keys.Where(name => !known.Contains(TensorName.Key(TensorName.Of(name).Parameter)) && !known.Contains(TensorName.Key(name)) && !IsPackerBias(index, name)).OrderByDescending(name => TensorRoles.OfName(name) == TensorRole.Tower).ThenBy(name => name, StringComparer.Ordinal).ToList();
        return beside.Count == 0 ? "" : $"; the index lists {beside.Count:N0} more tensors, which are not counted ({InspectionProblem.Examples(beside, 1)})";
    }
}

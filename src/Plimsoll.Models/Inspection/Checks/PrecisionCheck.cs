using Plimsoll.Checkpoints.Layouts;
using Plimsoll.Numerics;

namespace Plimsoll.Models.Inspection.Checks;

/// <summary>The same tensor in different floating-point types in different layers, as merging and partial conversion leave it.</summary>
internal static class PrecisionCheck
{
    public const string Name = "precision";

    private static readonly NumberFormat[] Floats = [NumberFormats.Fp32, NumberFormats.Fp16, NumberFormats.Bf16, NumberFormats.Fp64];

    public static IEnumerable<InspectionProblem> Find(CheckpointInspection inspection)
    {
        // llama.cpp's mixtures differ by layer on purpose.
        if (inspection.Checkpoint is not { Gguf: null })
            yield break;
        var mixed = new List<(string Pattern, List<ParameterStorage> Odd, string Types)>();
        var plain = inspection.Storages.Where(storage => storage is { Kind: StorageKind.Parameter, IsQuantized: false } && Floats.Contains(storage.Main.Format) && TensorRoles.LayerOf(storage.Name) is not null);
        foreach (var group in plain.GroupBy(storage => TensorName.Pattern(storage.Name)))
        {
            var types = group.GroupBy(storage => storage.Main.Format).OrderByDescending(type => type.Count()).ToList();
            if (types.Count > 1)
                mixed.Add((group.Key, [.. types.Skip(1).SelectMany(type => type)], string.Join(" and ", types.Select(type => $"{type.Key} ({type.Count():N0})"))));
        }
        if (mixed.Count > 0)
        {
            yield return InspectionProblem.Warning(Name,
                $"{InspectionProblem.Count(mixed.Count, "tensor", "has", "have")} not the same type in every layer: {InspectionProblem.Examples([.. mixed.Select(each => $"{each.Pattern} in {each.Types}")])}.",
                mixed.SelectMany(each => each.Odd).Select(storage => storage.Name));
        }
    }
}

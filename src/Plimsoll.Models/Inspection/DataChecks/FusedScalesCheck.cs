using Plimsoll.Checkpoints.Data;
using Plimsoll.Checkpoints.Layouts;

namespace Plimsoll.Models.Inspection.DataChecks;

/// <summary>NVFP4 layers that engines fuse into one matrix (query, key and value; gate and up) and whose scales of the whole tensor differ.</summary>
/// <remarks>The fused matrix has one such scale: engines take the largest, and the FP8 scales of the other layers no longer fit (vLLM warns of lower accuracy).</remarks>
internal static class FusedScalesCheck
{
    public const string Name = "fused-scales";

    private static readonly string[][] FusedLayers = [["q_proj", "k_proj", "v_proj"], ["gate_proj", "up_proj"], ["w1", "w3"]];

    public static IEnumerable<InspectionProblem> Find(DataInspection data)
    {
        var groups = data.Parameters.Where(parameter => parameter.Layout == StorageLayout.Nvfp4).GroupBy(Key).Where(group => group.Key is not null);
        var wrong = new List<(string Module, string Scales)>();
        foreach (var group in groups)
        {
            var scales = group.Select(parameter => (parameter.Module, Weight: data.TryOpen(parameter) as Fp4Weight)).Where(pair => pair.Weight is { Rows: > 0 })
                .Select(pair => (pair.Module, Scale: pair.Weight!.TensorScale(0))).ToList();
            if (scales.Select(pair => pair.Scale).Distinct().Count() > 1)
                wrong.Add((group.Key!, string.Join(", ", scales.Select(pair => System.FormattableString.Invariant($"{pair.Module[(pair.Module.LastIndexOf('.') + 1)..]} {pair.Scale:0.###e+0}")))));
        }
        if (wrong.Count > 0)
            yield return InspectionProblem.Warning(Name, $"{(wrong.Count == 1 ? "1 group of layers that engines fuse has" : $"{wrong.Count:N0} groups of layers that engines fuse have")} NVFP4 scales of their own, first {wrong[0].Module} ({wrong[0].Scales}): the fused matrix has one, and accuracy is lost.", wrong.Select(pair => pair.Module));
    }

    /// <summary>What the layers of one fused matrix have in common; null for a layer that is fused with none.</summary>
    private static string? Key(ParameterStorage parameter)
    {
        var (parent, name) = (parameter.Module[..(parameter.Module.LastIndexOf('.') + 1)], parameter.Module[(parameter.Module.LastIndexOf('.') + 1)..]);
        return FusedLayers.FirstOrDefault(layers => layers.Contains(name)) is { } layers ? parent + string.Join('+', layers) : null;
    }
}

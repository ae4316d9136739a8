using Plimsoll.Checkpoints.HuggingFace;
using Plimsoll.Checkpoints.Layouts;

namespace Plimsoll.Models.Inspection.Checks;

/// <summary>Packed tensors whose sizes contradict each other or the configuration, missing scales, layers in the wrong precision.</summary>
internal static class QuantizationCheck
{
    public const string Name = "quantization";

    public static IEnumerable<InspectionProblem> Find(CheckpointInspection inspection)
    {
        var orphans = inspection.Storages.Where(storage => storage.Kind == StorageKind.Orphan).Select(storage => storage.Name).ToList();
        if (orphans.Count > 0)
            yield return InspectionProblem.Error(Name, $"{InspectionProblem.Count(orphans.Count, "scale or zero point", "has", "have").Replace("zero points", "zero points", StringComparison.Ordinal)} no weight beside it: {InspectionProblem.Examples(orphans)}.", orphans);
        foreach (var problem in Contradictions(inspection))
            yield return problem;
        if (inspection.Quantization is not { Method: not QuantizationMethod.Unknown } quantization || !inspection.IsComplete)
            yield break;
        if (!inspection.Storages.Any(storage => storage.IsQuantized))
        {
            if (!inspection.Storages.IsEmpty && !quantization.Schemes.IsEmpty)
                yield return InspectionProblem.Error(Name, $"the configuration says {quantization.Describe()}, but no tensor is quantized.");
            yield break;
        }
        foreach (var problem in WrongPrecision(inspection, quantization))
            yield return problem;
    }

    private static IEnumerable<InspectionProblem> Contradictions(CheckpointInspection inspection)
    {
        var found = inspection.Storages.Where(storage => storage.IsQuantized).SelectMany(storage => LayoutCheck.Find(storage).Select(problem => (Storage: storage, Problem: problem)));
        foreach (var group in found.GroupBy(pair => pair.Problem))
        {
            var names = group.Select(pair => pair.Storage.Name).ToList();
            yield return InspectionProblem.Error(Name, $"{(names.Count == 1 ? names[0] : $"{names.Count:N0} parameters, first {names[0]}")}: {group.Key.Text}.", names);
        }
    }

    /// <summary>Only linear layers of a known architecture tell: norms and embeddings stay as they are and no list says so.</summary>
    private static IEnumerable<InspectionProblem> WrongPrecision(CheckpointInspection inspection, QuantizationConfig quantization)
    {
        if (inspection.Match is not { } match)
            yield break;
        var (plain, packed) = (new List<string>(), new List<string>());
        foreach (var (shape, stored) in match.Pairs.Where(pair => pair.Shape is { IsLinear: true, Layer: not null }))
        {
            foreach (var storage in stored.Where(storage => storage.Kind == StorageKind.Parameter))
            {
                var isPromised = quantization.SchemeOf(storage.Module) is not null;
                if (isPromised && !storage.IsQuantized && shape.Role is not TensorRole.Router && !shape.Dimensions.Contains(1))
                    plain.Add(storage.Name);
                else if (!isPromised && storage.IsQuantized)
                    packed.Add(storage.Name);
            }
        }
        if (packed.Count > 0)
            yield return InspectionProblem.Error(Name, $"{InspectionProblem.Count(packed.Count, "layer", "is", "are")} quantized that the configuration leaves alone: {InspectionProblem.Examples(packed)}.", packed);
        if (plain.Count > 0)
            yield return InspectionProblem.Error(Name, $"{InspectionProblem.Count(plain.Count, "layer", "is", "are")} not quantized although the configuration says so: {InspectionProblem.Examples(plain)}.", plain);
    }
}

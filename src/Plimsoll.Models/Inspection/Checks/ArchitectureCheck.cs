using System.Collections.Immutable;
using Plimsoll.Checkpoints.Layouts;
using Plimsoll.Numerics;

namespace Plimsoll.Models.Inspection.Checks;

/// <summary>Tensors that the architecture has and the checkpoint lacks, the other way round, and wrong shapes.</summary>
internal static class ArchitectureCheck
{
    public const string Name = "architecture";

    public static IEnumerable<InspectionProblem> Find(CheckpointInspection inspection)
    {
        // Where the architecture is only assumed or partly known, a difference says nothing about the file.
        if (inspection.Shape is not { Confidence: Confidence.High } || ArchitectureDifference.Of(inspection) is not { } difference)
            yield break;
        if (!difference.IsNamingOnly)
        {
            if (Absent(difference, inspection.Shape.Architecture) is { } absent)
                yield return absent;
            if (Extra(difference, inspection.Shape.Architecture) is { } extra)
                yield return extra;
        }
        if (difference.TiedHead is { } head)
            yield return TiedHead(inspection, head);
        foreach (var wrong in WrongShapes(inspection.Match!))
            yield return wrong;
    }

    private static InspectionProblem? Absent(ArchitectureDifference difference, string architecture)
    {
        if (difference.Absent.IsEmpty)
            return null;
        var names = difference.Absent.Select(pair => pair.Shape.Count > 1 && pair.Missing < pair.Shape.Count ? $"{pair.Shape.Name} ({pair.Missing} of {pair.Shape.Count} experts)" : pair.Shape.Name).ToList();
        return InspectionProblem.Error(Name, $"{InspectionProblem.Count(names.Count, "tensor", "is", "are")} missing that the architecture '{architecture}' has: {InspectionProblem.Examples(names)}.", names);
    }

    private static InspectionProblem? Extra(ArchitectureDifference difference, string architecture)
    {
        if (difference.Extra.IsEmpty)
            return null;
        var names = difference.Extra.Select(storage => storage.Name).ToList();
        return InspectionProblem.Warning(Name,
            $"{InspectionProblem.Count(names.Count, "tensor", "is", "are")} stored that the architecture '{architecture}' with this configuration does not have ({new ByteSize(difference.Extra.Sum(storage => storage.Bytes))}): {InspectionProblem.Examples(names)}.", names);
    }

    private static InspectionProblem TiedHead(CheckpointInspection inspection, ParameterStorage head)
    {
        var embedding = VocabularyCheck.Embedding(inspection);
        var isCopy = embedding is not null && head.Elements == embedding.Elements;
        return InspectionProblem.Warning(Name, isCopy
            ? $"{head.Name} is stored a second time ({new ByteSize(head.Bytes)}) although tie_word_embeddings says that it is {embedding!.Name}; loaders ignore it."
            : $"{head.Name} [{Text(head.Dimensions)}] is stored although tie_word_embeddings says that it is the embedding, which has another shape.", [head.Name]);
    }

    private static IEnumerable<InspectionProblem> WrongShapes(ArchitectureMatch match)
    {
        var wrong = match.Pairs.SelectMany(pair => pair.Stored.Where(storage => !Fits(pair.Shape, storage, pair.Stored.Count)).Select(storage => (Expected: Expected(pair.Shape, pair.Stored.Count), Storage: storage)));
        foreach (var group in wrong.GroupBy(pair => (Pattern: TensorName.Pattern(pair.Storage.Name), Found: Found(pair.Storage), pair.Expected)))
        {
            var names = group.Select(pair => pair.Storage.Name).ToList();
            yield return InspectionProblem.Error(Name, $"{(names.Count == 1 ? names[0] : $"{names.Count:N0} tensors {group.Key.Pattern}")}: {group.Key.Found}, config.json gives [{group.Key.Expected}].", names);
        }
    }

    /// <summary>Exact for one matrix; for other tensors the number of weights decides, as axes of size 1 and the order of stacked ones differ by writer.</summary>
    private static bool Fits(TensorShape shape, ParameterStorage storage, int stored)
    {
        if (shape is { Count: 1, Dimensions.Length: 2, Layer: not null, IsLinear: true } && storage.Dimensions is { Length: 2 } dimensions)
            return dimensions.SequenceEqual(shape.Dimensions);
        return storage.Elements is not { } elements || elements == (shape.Count > 1 && stored == 1 ? shape.Elements : shape.ElementsOfOne);
    }

    private static string Expected(TensorShape shape, int stored) => (shape.Count > 1 && stored == 1 ? $"{shape.Count}, " : "") + Text(shape.Dimensions);

    private static string Found(ParameterStorage storage) => storage.Dimensions is { } dimensions ? $"found [{Text(dimensions)}]" : $"found {storage.Elements:N0} weights";

    private static string Text(ImmutableArray<long>? dimensions) => dimensions is { } sizes ? string.Join(", ", sizes) : "";
}

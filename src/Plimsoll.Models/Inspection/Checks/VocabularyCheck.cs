using Plimsoll.Checkpoints.Layouts;

namespace Plimsoll.Models.Inspection.Checks;

/// <summary>Token ids beyond the rows of the embedding.</summary>
internal static class VocabularyCheck
{
    public const string Name = "vocabulary";

    public static IEnumerable<InspectionProblem> Find(CheckpointInspection inspection)
    {
        if (inspection.Kind != CheckpointKind.Model || inspection.Tokenizer is not { } tokenizer || Embedding(inspection) is not { Dimensions: [var rows, _] } embedding)
            yield break;
        var isGguf = inspection.Checkpoint?.Gguf is not null;
        if (tokenizer.LargestId >= rows)
            yield return InspectionProblem.Error(Name, $"the tokenizer ({tokenizer.Source}) has ids up to {tokenizer.LargestId:N0}, but {embedding.Name} has {rows:N0} rows.", [embedding.Name]);
        else if (isGguf && tokenizer.VocabularySize is { } size && size != rows)
            yield return InspectionProblem.Error(Name, $"the file lists {size:N0} tokens, but {embedding.Name} has {rows:N0} rows; llama.cpp requires as many.", [embedding.Name]);
        else if (tokenizer.LargestAddedId >= rows)
            yield return InspectionProblem.Warning(Name, $"an added token of the tokenizer ({tokenizer.Source}) has the id {tokenizer.LargestAddedId:N0}, but {embedding.Name} has {rows:N0} rows; using it fails.", [embedding.Name]);
    }

    /// <summary>The embedding matrix of the tokens; null when none is found.</summary>
    internal static ParameterStorage? Embedding(CheckpointInspection inspection) => inspection.Storages
        .Where(storage => storage is { Kind: StorageKind.Parameter, Dimensions.Length: 2 } && storage.Name.EndsWith(".weight", StringComparison.Ordinal)
            && inspection.RoleOf(storage) == TensorRole.Embedding && !storage.Name.Contains("per_layer", StringComparison.Ordinal) && !storage.Name.Contains("position", StringComparison.Ordinal))
        .MaxBy(storage => storage.Dimensions!.Value[0]);
}

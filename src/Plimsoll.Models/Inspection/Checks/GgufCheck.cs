using System.Globalization;
using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.Gguf;

namespace Plimsoll.Models.Inspection.Checks;

/// <summary>Keys and blocks without which llama.cpp refuses a GGUF model.</summary>
/// <remarks>Source: llama.cpp src/llama-model.cpp (load_hparams, required keys) and src/llama-vocab.cpp.</remarks>
internal static class GgufCheck
{
    public const string Name = "gguf";

    public static IEnumerable<InspectionProblem> Find(CheckpointInspection inspection)
    {
        if (inspection is not { Checkpoint: { Gguf: { } metadata } checkpoint, Kind: CheckpointKind.Model })
            yield break;
        if (metadata.String("general.architecture") is not { } architecture)
        {
            yield return InspectionProblem.Error(Name, "the key general.architecture is missing; nothing can load the file without it.");
            yield break;
        }
        string[] required = [$"{architecture}.context_length", $"{architecture}.embedding_length", $"{architecture}.block_count", "tokenizer.ggml.model"];
        var missing = required.Where(key => !metadata.Contains(key)).ToList();
        if (missing.Count > 0)
            yield return InspectionProblem.Error(Name, $"{InspectionProblem.Count(missing.Count, "key", "is", "are")} missing that llama.cpp requires: {string.Join(", ", missing)}.");
        else if (inspection.ShapeRefusal is { } refusal)
            yield return InspectionProblem.Error(Name, $"the keys do not describe a model: {refusal}.");
        if (inspection.IsComplete)
        {
            foreach (var problem in Blocks(checkpoint, metadata, architecture))
                yield return problem;
        }
    }

    private static IEnumerable<InspectionProblem> Blocks(Checkpoint checkpoint, GgufMetadata metadata, string architecture)
    {
        if (checkpoint.Tensors.IsEmpty)
        {
            yield return InspectionProblem.Error(Name, "the file describes a model and holds no tensors.");
            yield break;
        }
        var embedding = checkpoint.Tensors.FirstOrDefault(tensor => tensor.Name == "token_embd.weight");
        if (embedding is null)
            yield return InspectionProblem.Error(Name, "the tensor token_embd.weight is missing.", ["token_embd.weight"]);
        else if (metadata.Raw($"{architecture}.embedding_length") is long width && embedding.Dimensions is [_, var columns] && columns != width)
            yield return InspectionProblem.Error(Name, $"token_embd.weight has {columns:N0} columns, {architecture}.embedding_length says {width:N0}.", [embedding.Name]);
        if (metadata.Raw($"{architecture}.block_count") is not (long and >= 0 and <= 8192 and var count))
            yield break;
        var blocks = checkpoint.Tensors.Select(tensor => BlockOf(tensor.Name)).OfType<int>().ToHashSet();
        var absent = Enumerable.Range(0, (int)count).Where(block => !blocks.Contains(block)).ToList();
        if (absent.Count > 0)
            yield return InspectionProblem.Error(Name, $"{absent.Count:N0} of {count:N0} blocks have no tensors: {InspectionProblem.Examples([.. absent.Select(block => $"blk.{block}")])}.");
        var beyond = blocks.Where(block => block >= count).Order().ToList();
        if (beyond.Count > 0)
            yield return InspectionProblem.Warning(Name, $"{architecture}.block_count is {count:N0}, but there are tensors of {InspectionProblem.Examples([.. beyond.Select(block => $"blk.{block}")])}.");
        foreach (var problem in Holes(checkpoint, (int)count))
            yield return problem;
    }

    /// <summary>A tensor that every block but one has, where that block has nothing else instead, was lost.</summary>
    private static IEnumerable<InspectionProblem> Holes(Checkpoint checkpoint, int count)
    {
        const int least = 4;
        var byBlock = checkpoint.Tensors.Where(tensor => BlockOf(tensor.Name) < count).ToLookup(tensor => BlockOf(tensor.Name)!.Value, tensor => tensor.Name[(tensor.Name.IndexOf('.', 4) + 1)..]);
        if (byBlock.Count < least)
            yield break;
        var usual = byBlock.SelectMany(block => block).GroupBy(suffix => suffix).Where(group => group.Count() == byBlock.Count - 1).Select(group => group.Key).ToList();
        foreach (var block in byBlock)
        {
            var lost = usual.Where(suffix => !block.Contains(suffix)).Select(suffix => $"blk.{block.Key}.{suffix}").ToList();
            // A block of another kind (a dense one before experts) has tensors that the others lack.
            if (lost.Count > 0 && block.All(suffix => byBlock.Count(other => other.Contains(suffix)) > 1))
                yield return InspectionProblem.Error(Name, $"{InspectionProblem.Count(lost.Count, "tensor", "is", "are")} missing that every other block has: {InspectionProblem.Examples(lost)}.", lost);
        }
    }

    private static int? BlockOf(string name) =>
        name.StartsWith("blk.", StringComparison.Ordinal) && name.IndexOf('.', 4) is > 4 and var end && int.TryParse(name.AsSpan(4, end - 4), NumberStyles.None, CultureInfo.InvariantCulture, out var block) ? block : null;
}

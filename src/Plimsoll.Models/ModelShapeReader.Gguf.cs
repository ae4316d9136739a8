using System.Collections.Immutable;
using System.Text.Json;
using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Models.Gguf;

namespace Plimsoll.Models;

public static partial class ModelShapeReader
{
    /// <summary>The shape that a GGUF file describes.</summary>
    /// <param name="tensors">The tensor headers of all its parts; null when only the keys are known. With them the tensor list is the file's own, with llama.cpp's names.</param>
    /// <exception cref="CheckpointFormatException">A key is missing or impossible.</exception>
    public static ModelShape FromGguf(GgufMetadata metadata, IReadOnlyList<TensorHeader>? tensors, string id) => FromGguf(metadata, tensors, id, "gguf", parameters: null);

    /// <summary>The shape behind what llama.cpp (or a launcher) printed about a model. Its layers are good for caches and buffers; its tensors are derived where the architecture is known.</summary>
    /// <param name="print">An object with <c>arch</c> and values such as <c>n_layer</c>, <c>n_embd_head_k</c>, <c>n_lora_kv</c>, or <c>layers</c>, <c>kv_heads</c>, <c>ssm</c>.</param>
    /// <param name="parameters">The printed number of parameters; it tells whether the output head is stored beside the embedding.</param>
    /// <exception cref="UnknownArchitectureException">The object names no architecture.</exception>
    /// <exception cref="CheckpointFormatException">A value is missing or impossible.</exception>
    public static ModelShape FromLlamaCppPrint(JsonElement print, string id, double? parameters = null) =>
        FromGguf(LlamaCppPrint.Read(print, id), tensors: null, id, "llama.cpp log", parameters);

    private static ModelShape FromGguf(GgufMetadata metadata, IReadOnlyList<TensorHeader>? tensors, string id, string source, double? parameters)
    {
        try
        {
            var facts = new GgufFacts(metadata);
            var notes = new List<string>();
            var layers = GgufLayers.Read(facts, notes);
            var vocabulary = facts.Width("vocab_size") ?? RowsOf(tensors, "token_embd.weight") ?? 0;
            var (list, tied, confidence) = tensors is null ? Derive(facts, id, vocabulary, parameters, notes) : (GgufTensors.Read(tensors, facts), RowsOf(tensors, "output.weight") is null, Confidence.High);
            var shape = new ModelShape
            {
                Id = id,
                Architecture = facts.Architecture,
                HiddenSize = facts.Hidden,
                VocabularySize = vocabulary,
                MaxContext = facts.Tokens("context_length"),
                TiedEmbeddings = tied,
                Layers = layers,
                Tensors = list,
                Confidence = confidence,
                Notes = [.. notes],
                Source = source,
            };
            _ = shape.Parameters;
            return shape;
        }
        catch (OverflowException failure)
        {
            throw new CheckpointFormatException(metadata.Path, null, "sizes whose product is a parameter count", "a count above 2^63", failure);
        }
    }

    private static int? RowsOf(IReadOnlyList<TensorHeader>? tensors, string name) =>
        tensors?.FirstOrDefault(tensor => tensor.Name == name) is { Dimensions: [var rows and >= 0 and <= int.MaxValue, ..] } ? (int)rows : null;

    /// <summary>The tensors that the corresponding configuration would have, tied or not, whichever is nearer to the stated number of parameters.</summary>
    private static (ImmutableArray<TensorShape> Tensors, bool Tied, Confidence Confidence) Derive(GgufFacts facts, string id, int vocabulary, double? parameters, List<string> notes)
    {
        ModelShape? Build(bool tied)
        {
            try
            {
                return vocabulary > 0 && GgufToConfig.Create(facts, vocabulary, tied) is { } config ? FromConfig(config, id, "gguf") : null;
            }
            catch (Exception failure) when (failure is CheckpointFormatException or UnknownArchitectureException)
            {
                return null;
            }
        }

        var (separate, shared) = (Build(tied: false), Build(tied: true));
        if (separate is null || shared is null)
        {
            notes.Add($"The tensors of '{facts.Architecture}' are not derivable from these keys; only its layers are known.");
            return ([], false, Confidence.Low);
        }
        // Without a count: the families whose models of this width are published with one matrix.
        var isTied = parameters is { } count
            ? Math.Abs(shared.Parameters - count) < Math.Abs(separate.Parameters - count)
            : facts.Architecture.StartsWith("gemma", StringComparison.Ordinal) || facts.Architecture is "command-r" or "cohere2" or "granite" or "smollm3"
                || (facts.Hidden <= 3072 && facts.Architecture is "qwen2" or "qwen3" or "llama" && vocabulary > 100_000);
        notes.Add("The tensors are derived from the keys, not read.");
        return ((isTied ? shared : separate).Tensors, isTied, Confidence.Medium);
    }
}

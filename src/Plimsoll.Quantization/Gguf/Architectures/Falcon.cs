using System.Collections.Immutable;
using Plimsoll.Checkpoints;
using Plimsoll.Planning.Weights.Gguf;
using Plimsoll.Quantization.Gguf.Rows;

namespace Plimsoll.Quantization.Gguf.Architectures;

/// <summary>Falcon 1 and 2: each group of queries lies before its key and value; the file has all queries, then keys, then values.</summary>
internal sealed class Falcon : GgufArchitecture
{
    /// <summary>No configuration states the context that it was trained with.</summary>
    private const int Context = 2048;

    public override string Name => "falcon";

    public override ImmutableArray<string> ModelTypes => ["falcon", "RefinedWeb", "RefinedWebModel"];

    public override void WriteKeys(GgufModel model, ArchitectureKeys keys)
    {
        if (model.Flag("alibi") == true || model.Flag("parallel_attn") == false)
            throw new CheckpointFormatException(model.ConfigPath, null, "a Falcon with rotary positions and parallel attention, which llama.cpp computes", "one with alibi or without parallel_attn");
        keys.Integer("context_length", Context);
        keys.Word("tensor_data_layout", "jploski");
        keys.Integer("embedding_length", model.Hidden);
        keys.Integer("feed_forward_length", model.Integer("ffn_hidden_size") ?? 4 * (uint)model.Hidden);
        keys.Integer("block_count", model.Layers);
        keys.Integer("attention.head_count", model.Heads);
        keys.Integer("attention.head_count_kv", model.KeyValueHeads);
        keys.Number("rope.freq_base", model.Rope.Theta);
        keys.Number("attention.layer_norm_epsilon", model.Number("layer_norm_epsilon") ?? 1e-5f);
    }

    public override TensorRows Arrange(GgufTensor tensor, TensorRows source, GgufModel model)
    {
        if (!tensor.Name.Contains("attn_qkv.", StringComparison.Ordinal))
            return source;
        long heads = model.Heads, groups = model.KeyValueHeads, headDim = model.HeadDim;
        var queries = heads / groups;
        return source.Reorder(row =>
        {
            var (head, element) = Math.DivRem(row, headDim);
            var (group, inGroup) = head < heads ? Math.DivRem(head, queries) : head < heads + groups ? (head - heads, queries) : (head - heads - groups, queries + 1);
            return (group * (queries + 2) + inGroup) * headDim + element;
        });
    }
}

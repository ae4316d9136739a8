using System.Collections.Immutable;
using Plimsoll.Planning.Weights.Gguf;
using Plimsoll.Quantization.Gguf.Rows;

namespace Plimsoll.Quantization.Gguf.Architectures;

/// <summary>GPT-2: matrices stored (in, out) are turned round; positions are a tensor.</summary>
internal sealed class Gpt2 : GgufArchitecture
{
    public override string Name => "gpt2";

    public override ImmutableArray<string> ModelTypes => ["gpt2"];

    public override void WriteKeys(GgufModel model, ArchitectureKeys keys)
    {
        keys.Integer("block_count", model.Layers);
        keys.Integer("context_length", model.RequireInteger("n_ctx", "n_positions"));
        keys.Integer("embedding_length", model.Hidden);
        keys.Integer("feed_forward_length", model.Integer("n_inner") ?? 4 * (uint)model.Hidden);
        keys.Integer("attention.head_count", model.Heads);
        keys.Number("attention.layer_norm_epsilon", model.Number("layer_norm_epsilon") ?? 1e-5f);
    }

    public override TensorRows Arrange(GgufTensor tensor, TensorRows source, GgufModel model) => tensor.Source.IsLinear && tensor.Layer >= 0 ? source.Transpose() : source;
}

/// <summary>GPT-NeoX, Pythia: queries, keys and values lie together head by head and are gathered.</summary>
internal sealed class GptNeoX : GgufArchitecture
{
    public override string Name => "gptneox";

    public override ImmutableArray<string> ModelTypes => ["gpt_neox"];

    public override void WriteKeys(GgufModel model, ArchitectureKeys keys)
    {
        DecoderKeys.Sizes(model, keys);
        keys.Integer("rope.dimension_count", (int)((model.Rope.PartialFactor ?? 0.25f) * model.HeadDim));
        keys.Number("rope.freq_base", model.Rope.Theta);
        keys.Flag("use_parallel_residual", model.Flag("use_parallel_residual") ?? true);
        keys.Number("attention.layer_norm_epsilon", model.Number("layer_norm_eps") ?? 1e-5f);
    }

    /// <summary>(head, part, element) becomes (part, head, element), part being query, key or value.</summary>
    public override TensorRows Arrange(GgufTensor tensor, TensorRows source, GgufModel model)
    {
        if (tensor.Category != GgufCategory.AttentionQkv && !tensor.Name.EndsWith("attn_qkv.bias", StringComparison.Ordinal))
            return source;
        long heads = model.Heads, headDim = model.HeadDim;
        return source.Reorder(row =>
        {
            var (part, inside) = Math.DivRem(row, heads * headDim);
            var (head, element) = Math.DivRem(inside, headDim);
            return (head * 3 + part) * headDim + element;
        });
    }
}

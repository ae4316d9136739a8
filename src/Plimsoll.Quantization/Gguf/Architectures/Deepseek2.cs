using System.Collections.Immutable;
using Plimsoll.Models;
using Plimsoll.Planning.Weights.Gguf;
using Plimsoll.Quantization.Gguf.Rows;

namespace Plimsoll.Quantization.Gguf.Architectures;

/// <summary>DeepSeek-V2 and V3: latent attention, written as one key-value head that the latent vector is.</summary>
/// <remarks>The decompression of keys is absorbed into the query, so its half of <c>kv_b_proj</c> is stored transposed, the half of the values as it is.</remarks>
internal sealed class Deepseek2 : GgufArchitecture
{
    /// <summary>The factor by which llama.cpp's converter multiplies <c>mscale_all_dim</c>, and its loader divides again.</summary>
    private const float YarnLogFactor = 0.1f;

    public override string Name => "deepseek2";

    public override ImmutableArray<string> ModelTypes => ["deepseek_v2", "deepseek_v3"];

    public override void WriteKeys(GgufModel model, ArchitectureKeys keys)
    {
        var (latent, sizes) = (Latent(model), model.Attention);
        base.WriteKeys(model, keys);
        keys.Number("attention.layer_norm_rms_epsilon", model.Number("rms_norm_eps") ?? 1e-6f);
        keys.Integer("attention.head_count_kv", 1);
        keys.Integer("leading_dense_block_count", model.Integer("first_k_dense_replace") ?? (model.Integer("n_routed_experts") is null ? (uint)model.Layers : 0));
        keys.Integer("vocab_size", model.Shape.VocabularySize);
        keys.Integer("attention.q_lora_rank", (uint?)latent.QueryRank);
        keys.Integer("attention.kv_lora_rank", latent.KeyValueRank);
        keys.Integer("attention.key_length", latent.KeyValueRank + latent.RopeDim);
        keys.Integer("attention.value_length", latent.KeyValueRank);
        keys.Integer("attention.key_length_mla", sizes.KeyHeadDim);
        keys.Integer("attention.value_length_mla", sizes.ValueHeadDim);
        keys.Integer("expert_feed_forward_length", model.RequireInteger("moe_intermediate_size", "intermediate_size"));
        keys.Integer("expert_shared_count", model.Integer("n_shared_experts") ?? 0);
        keys.Number("expert_weights_scale", model.Number("routed_scaling_factor"));
        if (model.Flag("norm_topk_prob") == true)
            keys.Flag("expert_weights_norm", true);
        keys.Integer("rope.dimension_count", latent.RopeDim);
        keys.Number("rope.scaling.yarn_log_multiplier", model.Rope.Number("mscale_all_dim") * YarnLogFactor);
    }

    public override TensorRows Arrange(GgufTensor tensor, TensorRows source, GgufModel model)
    {
        long heads = model.Heads, value = model.Attention.ValueHeadDim, key = model.Attention.KeyHeadDim - Latent(model).RopeDim;
        return tensor.Name.Split('.') switch
        {
            [.., "attn_k_b", _] => Half(source, heads, key + value, 0, key).Transpose(),
            [.., "attn_v_b", _] => Half(source, heads, key + value, key, value),
            _ => source,
        };
    }

    public override bool AppliesScale(GgufTensor tensor) => tensor.Category is GgufCategory.AttentionOutput or GgufCategory.Output;

    /// <summary>Of each head's rows a range, as (heads, rows, rank).</summary>
    private static TensorRows Half(TensorRows source, long heads, long headRows, long first, long count) =>
        source.Select([heads, count, source.RowLength], row => row / count * headRows + first + row % count);

    private static LatentAttentionShape Latent(GgufModel model) => model.Attention.Latent ?? throw model.Missing("kv_lora_rank");
}

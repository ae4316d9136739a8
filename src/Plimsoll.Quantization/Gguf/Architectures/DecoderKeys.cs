using Plimsoll.Checkpoints;

namespace Plimsoll.Quantization.Gguf.Architectures;

/// <summary>The keys that most decoders share, taken from the names that configurations give them.</summary>
/// <remarks>Source of the spellings: llama.cpp conversion/base.py (set_gguf_parameters).</remarks>
internal static class DecoderKeys
{
    public static void Write(GgufModel model, ArchitectureKeys keys)
    {
        Sizes(model, keys);
        RopeScaling(model, keys);
        keys.Number("rope.freq_base", model.Rope.Theta);
        keys.Number("rope.freq_base_swa", model.Rope.WindowTheta);
        keys.Number("attention.layer_norm_rms_epsilon", model.Number("rms_norm_eps", "norm_eps"));
        keys.Number("attention.layer_norm_epsilon", model.Number("layer_norm_eps", "layer_norm_epsilon", "norm_epsilon"));
        Experts(model, keys);
        if (model.Integer("head_dim") is { } headDim)
            HeadDim(keys, headDim);
    }

    public static void Sizes(GgufModel model, ArchitectureKeys keys)
    {
        keys.Integer("block_count", model.Layers);
        keys.Integer("context_length", model.Integer("max_position_embeddings", "n_ctx", "n_positions", "max_length", "max_sequence_length", "model_max_length")
            ?? throw model.Missing("max_position_embeddings"));
        keys.Integer("embedding_length", model.Hidden);
        keys.Integer("feed_forward_length", model.RequireInteger("intermediate_size", "n_inner", "hidden_dim"));
        keys.Integer("attention.head_count", model.Heads);
        keys.Integer("attention.head_count_kv", model.KeyValueHeads);
    }

    public static void HeadDim(ArchitectureKeys keys, uint headDim)
    {
        keys.Integer("attention.key_length", headDim);
        keys.Integer("attention.value_length", headDim);
    }

    /// <summary>The windows of the layers: which of them slide.</summary>
    public static void WindowPattern(GgufModel model, ArchitectureKeys keys) =>
        keys.Flags("attention.sliding_window_pattern", [.. model.Shape.Layers.Select(layer => layer.Attention?.Window is not null)]);

    private static void RopeScaling(GgufModel model, ArchitectureKeys keys)
    {
        var rope = model.Rope;
        var factor = rope.Number("factor");
        switch (rope.Type)
        {
            case "linear" when factor is not null:
                keys.Word("rope.scaling.type", "linear");
                keys.Number("rope.scaling.factor", factor);
                break;
            case "yarn" when factor is not null:
                keys.Word("rope.scaling.type", "yarn");
                keys.Number("rope.scaling.factor", factor);
                keys.Integer("rope.scaling.original_context_length", rope.OriginalContext ?? throw model.Missing("rope_scaling.original_max_position_embeddings"));
                keys.Number("rope.scaling.yarn_ext_factor", rope.Number("extrapolation_factor"));
                keys.Number("rope.scaling.yarn_attn_factor", rope.Number("attention_factor", "attn_factor"));
                keys.Number("rope.scaling.yarn_beta_fast", rope.Number("beta_fast"));
                keys.Number("rope.scaling.yarn_beta_slow", rope.Number("beta_slow"));
                break;
            case "su" or "longrope":
                keys.Word("rope.scaling.type", "longrope");
                break;
            // The factors of llama3 are a tensor; dynamic scaling changes nothing within the context that the model was made for; without a factor there is nothing to scale.
            case null or "default" or "dynamic" or "llama3" or "linear" or "yarn":
                break;
            default:
                throw new CheckpointFormatException(model.ConfigPath, null, "a rope_type that llama.cpp computes (default, linear, llama3, longrope, yarn)", $"'{rope.Type}'");
        }
    }

    private static void Experts(GgufModel model, ArchitectureKeys keys)
    {
        keys.Integer("expert_count", model.Integer("num_local_experts", "num_experts", "n_routed_experts"));
        keys.Integer("expert_used_count", model.Integer("num_experts_per_tok", "num_experts_per_token", "top_k_experts"));
        keys.Integer("expert_group_count", model.Integer("n_group"));
        keys.Integer("expert_group_used_count", model.Integer("topk_group"));
        // llama.cpp's numbers: 1 softmax, 2 sigmoid.
        keys.Integer("expert_gating_func", model.Word("score_function", "scoring_func", "score_func", "moe_router_activation_func") switch
        {
            null => null,
            "softmax" => 1u,
            "sigmoid" => 2u,
            var other => throw new CheckpointFormatException(model.ConfigPath, null, "softmax or sigmoid as the scores of experts", $"'{other}'"),
        });
    }
}

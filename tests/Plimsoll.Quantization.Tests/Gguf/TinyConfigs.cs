
namespace Plimsoll.Quantization.Tests.Gguf;

/// <summary>Configurations of one model of every architecture: two layers of hidden size 256, which K-quants divide, and 320 tokens.</summary>
internal static class TinyConfigs
{
    private const string Sizes = """
        "hidden_size": 256, "intermediate_size": 512, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 320, "max_position_embeddings": 512
        """;

    private const string Rms = "\"rms_norm_eps\": 1e-5";

    public static readonly IReadOnlyDictionary<string, string> ByModelType = new Dictionary<string, string>
    {
        ["llama"] = Of("llama", $$"""{{Rms}}, "tie_word_embeddings": false, "rope_theta": 500000.0, "attention_bias": true"""),
        ["mistral"] = Of("mistral", $$"""{{Rms}}, "tie_word_embeddings": false, "rope_theta": 10000.0, "sliding_window": null, "head_dim": 32"""),
        ["mixtral"] = Of("mixtral", $$"""{{Rms}}, "tie_word_embeddings": false, "rope_theta": 1e6, "num_local_experts": 4, "num_experts_per_tok": 2"""),
        ["smollm3"] = Of("smollm3", $$"""{{Rms}}, "tie_word_embeddings": true, "rope_theta": 5e6, "no_rope_layers": [1, 1], "no_rope_layer_interval": 4"""),
        ["granite"] = Of("granite", $$"""
            {{Rms}}, "tie_word_embeddings": true, "rope_theta": 10000.0, "attention_multiplier": 0.02, "embedding_multiplier": 12.0, "residual_multiplier": 0.22, "logits_scaling": 8.0
            """),
        ["qwen2"] = Of("qwen2", $$"""{{Rms}}, "tie_word_embeddings": true, "rope_theta": 1e6, "use_sliding_window": false, "sliding_window": 512"""),
        ["qwen3"] = Of("qwen3", $$"""{{Rms}}, "tie_word_embeddings": true, "rope_theta": 1e6, "head_dim": 128"""),
        ["qwen3_moe"] = Of("qwen3_moe", $$"""
            {{Rms}}, "tie_word_embeddings": false, "rope_theta": 1e6, "head_dim": 128, "num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 256, "norm_topk_prob": true,
            "decoder_sparse_step": 1, "mlp_only_layers": []
            """),
        ["gemma"] = Of("gemma", $$"""{{Rms}}, "rope_theta": 10000.0, "head_dim": 64, "hidden_activation": "gelu_pytorch_tanh" """),
        ["gemma2"] = Of("gemma2", $$"""
            {{Rms}}, "rope_theta": 10000.0, "head_dim": 64, "attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0, "sliding_window": 256, "query_pre_attn_scalar": 64
            """),
        ["gemma3_text"] = Of("gemma3_text", $$"""
            {{Rms}}, "rope_theta": 1000000.0, "rope_local_base_freq": 10000.0, "head_dim": 64, "sliding_window": 256, "sliding_window_pattern": 6, "query_pre_attn_scalar": 64
            """),
        ["phi3"] = Of("phi3", $$"""{{Rms}}, "tie_word_embeddings": false, "rope_theta": 10000.0, "original_max_position_embeddings": 512, "sliding_window": null"""),
        ["gpt2"] = """
            {"model_type": "gpt2", "n_embd": 256, "n_layer": 2, "n_head": 4, "n_positions": 512, "n_ctx": 512, "vocab_size": 320, "layer_norm_epsilon": 1e-5, "n_inner": null}
            """,
        ["gpt_neox"] = Of("gpt_neox", """
            "layer_norm_eps": 1e-5, "rotary_pct": 0.25, "rotary_emb_base": 10000, "use_parallel_residual": true, "tie_word_embeddings": false
            """, keyValueHeads: null),
        ["falcon"] = """
            {"model_type": "falcon", "hidden_size": 256, "num_hidden_layers": 2, "num_attention_heads": 4, "num_kv_heads": 2, "vocab_size": 320, "layer_norm_epsilon": 1e-5,
             "new_decoder_architecture": true, "parallel_attn": true, "alibi": false, "bias": false, "multi_query": true, "tie_word_embeddings": true}
            """,
        ["stablelm"] = Of("stablelm", """
            "layer_norm_eps": 1e-5, "partial_rotary_factor": 0.25, "rope_theta": 10000, "use_qkv_bias": true, "qk_layernorm": true, "use_parallel_residual": true, "tie_word_embeddings": false
            """),
        ["olmo2"] = Of("olmo2", $$"""{{Rms}}, "tie_word_embeddings": false, "rope_theta": 500000"""),
        ["deepseek_v2"] = Of("deepseek_v2", $$"""
            {{Rms}}, "tie_word_embeddings": false, "rope_theta": 10000, "q_lora_rank": 128, "kv_lora_rank": 64, "qk_nope_head_dim": 32, "qk_rope_head_dim": 16, "v_head_dim": 32,
            "n_routed_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 256, "n_shared_experts": 1, "first_k_dense_replace": 1, "routed_scaling_factor": 1.0,
            "scoring_func": "softmax", "norm_topk_prob": false, "topk_method": "greedy", "n_group": 1, "topk_group": 1
            """),
        ["glm4"] = Of("glm4", $$"""{{Rms}}, "tie_word_embeddings": false, "rope_theta": 10000.0, "partial_rotary_factor": 0.5, "head_dim": 64, "attention_bias": true"""),
        ["gpt_oss"] = Of("gpt_oss", $$"""
            {{Rms}}, "tie_word_embeddings": false, "rope_theta": 150000, "head_dim": 64, "num_local_experts": 4, "num_experts_per_tok": 2, "sliding_window": 128, "attention_bias": true,
            "swiglu_limit": 7.0
            """),
    };

    /// <summary>Which of them come with a SentencePiece model.</summary>
    public static bool UsesSentencePiece(string modelType) => modelType is "mistral" or "mixtral" or "gemma" or "gemma2" or "gemma3_text" or "phi3";

    public static RandomCheckpoint Create(string modelType, Action<Dictionary<string, RandomTensor>>? change = null) => new(ByModelType[modelType], UsesSentencePiece(modelType), change);

    private static string Of(string modelType, string facts, int? keyValueHeads = 2)
    {
        var sizes = keyValueHeads is null ? Sizes.Replace("\"num_key_value_heads\": 2, ", "") : Sizes;
        return $$"""{"model_type": "{{modelType}}", {{sizes}}, {{facts}} }""".ReplaceLineEndings(" ");
    }
}

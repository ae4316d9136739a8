using Plimsoll.Models;

namespace Plimsoll.Planning.Weights.Gguf;

/// <summary>From the tensor names of Hugging Face checkpoints to those of GGUF files, as far as type and size depend on them.</summary>
/// <remarks>Source: llama.cpp gguf-py/gguf/tensor_mapping.py and conversion/*.py, release bundle of November 2026.</remarks>
internal static class GgufNames
{
    /// <summary>The GGUF names that the tensor becomes, without layer prefix: several where the converter splits it.</summary>
    public static string[] Of(TensorShape tensor, string architecture)
    {
        var (path, suffix) = Split(tensor.Name);
        if (Last(path) is "project_in" or "project_out")
            return [Last(path) + suffix];
        if (tensor.Role == TensorRole.Embedding)
            return [(path.Contains("per_layer", StringComparison.Ordinal) ? "per_layer_token_embd" : "token_embd") + suffix];
        if (tensor.Role == TensorRole.OutputHead)
            return ["output" + suffix];
        if (tensor.Role == TensorRole.PositionEmbedding)
            return ["position_embd" + suffix];
        if (tensor.Role == TensorRole.Norm || NextTokenPart(path) is null && Last(path).EndsWith("norm", StringComparison.Ordinal))
            return [Norm(path, architecture) + suffix];
        if (Last(path) is "e_score_correction_bias" or "expert_bias")
            return ["exp_probs_b.bias"];
        string[] stems = NextTokenPart(path) is { } part ? ["nextn." + part] : Stems(path, architecture);
        return [.. stems.Select(stem => stem + suffix)];
    }

    /// <summary>The decoder layer in a checkpoint name; layers under <c>mtp.</c> follow the last decoder layer.</summary>
    public static int? LayerOf(TensorShape tensor, int decoderLayers)
    {
        if (tensor.Layer is { } layer)
            return layer;
        if (tensor.Role != TensorRole.NextToken)
            return null;
        var parts = tensor.Name.Split('.');
        var inName = parts.Select(part => int.TryParse(part, out var value) ? value : (int?)null).FirstOrDefault(value => value is not null) ?? 0;
        return inName >= decoderLayers ? inName : decoderLayers + inName;
    }

    /// <summary>The parts that only a next-token-prediction layer has.</summary>
    private static string? NextTokenPart(string path) => Last(path) switch
    {
        "eh_proj" => "eh_proj",
        "fc" when path.StartsWith("mtp.", StringComparison.Ordinal) => "eh_proj",
        "enorm" or "pre_fc_norm_embedding" => "enorm",
        "hnorm" or "pre_fc_norm_hidden" => "hnorm",
        "head" when path.Contains("shared_head", StringComparison.Ordinal) => "shared_head_head",
        "norm" when path.Contains("shared_head", StringComparison.Ordinal) || path.StartsWith("mtp.", StringComparison.Ordinal) => "shared_head_norm",
        "embed_tokens" => "embed_tokens",
        _ => null,
    };

    /// <summary>Norms are FP32 whatever they are called; the usual ones get their real names.</summary>
    private static string Norm(string path, string architecture)
    {
        // Gemma and OLMo since their second versions have a norm behind each part; gpt-oss has the usual two, which llama.cpp calls so.
        var behind = (architecture.StartsWith("gemma", StringComparison.Ordinal) && architecture != "gemma") || architecture is "olmo2" or "olmo3" or "gpt_oss";
        return Last(path) switch
        {
            "norm" when path.Contains("mixer", StringComparison.Ordinal) || path.Contains("linear_attn", StringComparison.Ordinal) || path.Contains("mamba", StringComparison.Ordinal) => "ssm_norm",
            "norm" when path.Contains("layers.", StringComparison.Ordinal) => "attn_norm",
            "norm" or "final_layernorm" or "final_layer_norm" or "ln_f" or "norm_f" => "output_norm",
            "input_layernorm" or "ln_1" or "attention_norm" => "attn_norm",
            "post_attention_layernorm" when behind => "post_attention_norm",
            "post_self_attn_layernorm" => "post_attention_norm",
            // Falcon 40B.
            "ln_mlp" => "attn_norm",
            "ln_attn" => "attn_norm_2",
            "post_attention_layernorm" or "pre_feedforward_layernorm" or "ln_2" or "ffn_norm" => "ffn_norm",
            "post_feedforward_layernorm" or "post_mlp_layernorm" => "post_ffw_norm",
            "q_norm" or "q_layernorm" => "attn_q_norm",
            "k_norm" or "k_layernorm" => "attn_k_norm",
            "q_a_layernorm" => "attn_q_a_norm",
            "kv_a_layernorm" => "attn_kv_a_norm",
            // StableLM 2 has one norm per head.
            _ when path.Contains("q_layernorm.norms", StringComparison.Ordinal) => "attn_q_norm",
            _ when path.Contains("k_layernorm.norms", StringComparison.Ordinal) => "attn_k_norm",
            var last when last.EndsWith("norm", StringComparison.Ordinal) => last,
            var last => last + "_norm",
        };
    }

    private static string[] Stems(string path, string architecture)
    {
        var last = Last(path);
        var kind = path.Contains("shared", StringComparison.Ordinal) ? "_shexp" : path.Contains("experts", StringComparison.Ordinal) || path.Contains("block_sparse_moe", StringComparison.Ordinal) ? "_exps" : "";
        return FeedForward(path, last, kind, architecture) ?? Attention(last, path, architecture) ?? Recurrent(last, path) ?? [Other(Numbered(path))];
    }

    /// <summary>The last part of a path; with the one before it where a list numbers its members.</summary>
    private static string Numbered(string path) => Last(path).All(char.IsAsciiDigit) ? string.Join('.', path.Split('.')[^2..]) : Last(path);

    private static string[]? FeedForward(string path, string last, string kind, string architecture) => last switch
    {
        "shared_expert_gate" => ["ffn_gate_inp_shexp"],
        "gate" or "router" or "gate_weight" when kind != "_shexp" => ["ffn_gate_inp"],
        "layer" when path.EndsWith("router.layer", StringComparison.Ordinal) => ["ffn_gate_inp"],
        "proj" when path.EndsWith("router.proj", StringComparison.Ordinal) => ["ffn_gate_inp"],
        "wg" when path.Contains("gate", StringComparison.Ordinal) => ["ffn_gate_inp"],
        "gate_up_proj" or "input_linear" when kind.Length > 0 => ["ffn_gate" + kind, "ffn_up" + kind],
        // Dense Phi-3 and GLM keep gate and up in one tensor, which is called ffn_up.
        "gate_up_proj" or "dense_h_to_4h" or "fc1" or "c_fc" or "fc_in" or "linear_in" => ["ffn_up" + kind],
        "gate_proj" or "c_fc_0" => ["ffn_gate" + kind],
        "up_proj" or "c_fc_1" => ["ffn_up" + kind],
        "down_proj" or "output_linear" or "dense_4h_to_h" or "fc2" or "fc_out" or "linear_out" => ["ffn_down" + kind],
        "c_proj" when path.Contains("mlp", StringComparison.Ordinal) => ["ffn_down"],
        // The first Qwen calls the up projection w1 and the gate w2.
        "w1" => [(architecture == "qwen" ? "ffn_up" : "ffn_gate") + kind],
        "w2" => [(architecture == "qwen" ? "ffn_gate" : "ffn_down") + kind],
        "w3" or "v1" => ["ffn_up" + kind],
        _ => null,
    };

    private static string[]? Attention(string last, string path, string architecture) => last switch
    {
        "q_proj" or "wq" or "q_lin" or "query" => ["attn_q"],
        "wk" when path.Contains("indexer", StringComparison.Ordinal) => ["indexer.attn_k"],
        "k_proj" or "wk" or "k_lin" or "key" => ["attn_k"],
        "v_proj" or "wv" or "v_lin" or "value" => ["attn_v"],
        "o_proj" or "wo" or "dense" or "attention.dense" => ["attn_output"],
        "c_proj" => ["attn_output"],
        "out_proj" when path.Contains("attn", StringComparison.Ordinal) && !path.Contains("linear_attn", StringComparison.Ordinal) => ["attn_output"],
        "W_pack" => ["attn_q", "attn_k", "attn_v"],
        "wqkv" when architecture.StartsWith("internlm2", StringComparison.Ordinal) => ["attn_q", "attn_k", "attn_v"],
        "qkv_proj" or "query_key_value" or "Wqkv" or "c_attn" or "wqkv" => ["attn_qkv"],
        "q_a_proj" => ["attn_q_a"],
        "q_b_proj" => ["attn_q_b"],
        "kv_a_proj_with_mqa" => ["attn_kv_a_mqa"],
        "kv_b_proj" => ["attn_k_b", "attn_v_b"],
        "sinks" => ["attn_sinks"],
        _ => null,
    };

    private static string[]? Recurrent(string last, string path)
    {
        var shortConvolution = path.Contains(".conv.", StringComparison.Ordinal) || path.StartsWith("conv.", StringComparison.Ordinal);
        return last switch
        {
            "in_proj_qkvz" => ["attn_qkv", "attn_gate"],
            "in_proj_qkv" => ["attn_qkv"],
            "in_proj_z" => ["attn_gate"],
            "in_proj_ba" => ["ssm_ba"],
            "in_proj_b" => ["ssm_beta"],
            "in_proj_a" => ["ssm_alpha"],
            "in_proj" => [shortConvolution ? "shortconv.in_proj" : "ssm_in"],
            "out_proj" => [shortConvolution ? "shortconv.out_proj" : "ssm_out"],
            "conv" when shortConvolution => ["shortconv.conv"],
            "conv1d" => ["ssm_conv1d"],
            "q_conv1d" or "k_conv1d" or "v_conv1d" => ["ssm_conv1d_" + last[0]],
            "A_log" => ["ssm_a"],
            "D" => ["ssm_d"],
            "x_proj" => ["ssm_x"],
            "dt_proj" => ["ssm_dt"],
            _ => null,
        };
    }

    private static string Other(string last) => last switch
    {
        "per_layer_model_projection" => "per_layer_model_proj",
        "linear_left" => "laurel_l",
        "linear_right" => "laurel_r",
        "correction_coefs" => "altup_correct_coef",
        "prediction_coefs" => "altup_predict_coef",
        "modality_router" => "altup_router",
        "altup_projections" => "altup_proj",
        "weights_proj" => "indexer.proj",
        "wq_b" => "indexer.attn_q_b",
        _ => last,
    };

    /// <summary>Module path and <c>.weight</c>, <c>.bias</c> or nothing. Bare parameters that are matrices of experts count as weights.</summary>
    private static (string Path, string Suffix) Split(string name)
    {
        foreach (var suffix in (ReadOnlySpan<string>)[".weight", ".bias"])
        {
            if (name.EndsWith(suffix, StringComparison.Ordinal))
                return (name[..^suffix.Length], suffix);
        }
        if (name.EndsWith("_bias", StringComparison.Ordinal) && name.Contains("proj_bias", StringComparison.Ordinal))
            return (name[..^"_bias".Length], ".bias");
        return (name, name.Contains("expert", StringComparison.Ordinal) || name.EndsWith("sinks", StringComparison.Ordinal) ? ".weight" : "");
    }

    private static string Last(string path) => path[(path.LastIndexOf('.') + 1)..];
}

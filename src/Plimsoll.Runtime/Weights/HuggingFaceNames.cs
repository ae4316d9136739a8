using System.Collections.Frozen;

namespace Plimsoll.Runtime.Weights;

/// <summary>How transformers names and lays out the tensors that llama.cpp calls <c>attn_q</c> and so on.</summary>
internal sealed record HuggingFaceNames
{
    public required string Embedding { get; init; }

    public string? Positions { get; init; }

    public required string FinalNorm { get; init; }

    public required string Head { get; init; }

    /// <summary>What the tensors of a layer begin with, <c>*</c> being its number.</summary>
    public required string Layer { get; init; }

    /// <summary>By llama.cpp's name inside a layer, without <c>.weight</c>. In the names of experts <c>*</c> is the number of the expert.</summary>
    public required FrozenDictionary<string, string> Parts { get; init; }

    /// <summary>What is added to the stored weights of norms (Gemma stores w - 1).</summary>
    public float NormOffset { get; init; }

    /// <summary>Linear layers are stored (inputs, outputs) (GPT-2's Conv1D).</summary>
    public bool Transposed { get; init; }

    /// <summary>The fused projection holds query, key and value head by head, not one after the other (GPT-NeoX).</summary>
    public bool FusedByHead { get; init; }

    public static HuggingFaceNames Llama { get; } = new()
    {
        Embedding = "model.embed_tokens",
        FinalNorm = "model.norm",
        Head = "lm_head",
        Layer = "model.layers.*.",
        Parts = Table(
            ("attn_norm", "input_layernorm"), ("attn_q", "self_attn.q_proj"), ("attn_k", "self_attn.k_proj"), ("attn_v", "self_attn.v_proj"), ("attn_output", "self_attn.o_proj"),
            ("attn_q_norm", "self_attn.q_norm"), ("attn_k_norm", "self_attn.k_norm"), ("attn_qkv", "self_attn.qkv_proj"),
            ("ffn_norm", "post_attention_layernorm"), ("ffn_gate", "mlp.gate_proj"), ("ffn_up", "mlp.up_proj"), ("ffn_down", "mlp.down_proj")),
    };

    public static HuggingFaceNames Gemma2 { get; } = Llama.With(
        ("post_attention_norm", "post_attention_layernorm"), ("ffn_norm", "pre_feedforward_layernorm"), ("post_ffw_norm", "post_feedforward_layernorm")) with
    { NormOffset = 1 };

    public static HuggingFaceNames Olmo2 { get; } = Llama.With(("post_attention_norm", "post_attention_layernorm"), ("post_ffw_norm", "post_feedforward_layernorm"));

    public static HuggingFaceNames Phi3 { get; } = Llama.With(("ffn_up", "mlp.gate_up_proj"));

    public static HuggingFaceNames StableLm { get; } = Llama.With(("attn_q_norm", "self_attn.q_layernorm.norms.*"), ("attn_k_norm", "self_attn.k_layernorm.norms.*"));

    public static HuggingFaceNames Mixtral { get; } = Llama.With(
        ("ffn_gate_inp", "block_sparse_moe.gate"), ("ffn_gate_exps", "block_sparse_moe.experts.*.w1"), ("ffn_up_exps", "block_sparse_moe.experts.*.w3"), ("ffn_down_exps", "block_sparse_moe.experts.*.w2"));

    public static HuggingFaceNames QwenMoe { get; } = Llama.With(
        ("ffn_gate_inp", "mlp.gate"), ("ffn_gate_exps", "mlp.experts.*.gate_proj"), ("ffn_up_exps", "mlp.experts.*.up_proj"), ("ffn_down_exps", "mlp.experts.*.down_proj"));

    public static HuggingFaceNames Gpt2 { get; } = new()
    {
        Embedding = "transformer.wte",
        Positions = "transformer.wpe",
        FinalNorm = "transformer.ln_f",
        Head = "lm_head",
        Layer = "transformer.h.*.",
        Transposed = true,
        Parts = Table(
            ("attn_norm", "ln_1"), ("attn_qkv", "attn.c_attn"), ("attn_output", "attn.c_proj"), ("ffn_norm", "ln_2"), ("ffn_up", "mlp.c_fc"), ("ffn_down", "mlp.c_proj")),
    };

    public static HuggingFaceNames GptNeoX { get; } = new()
    {
        Embedding = "gpt_neox.embed_in",
        FinalNorm = "gpt_neox.final_layer_norm",
        Head = "embed_out",
        Layer = "gpt_neox.layers.*.",
        FusedByHead = true,
        Parts = Table(
            ("attn_norm", "input_layernorm"), ("attn_qkv", "attention.query_key_value"), ("attn_output", "attention.dense"),
            ("ffn_norm", "post_attention_layernorm"), ("ffn_up", "mlp.dense_h_to_4h"), ("ffn_down", "mlp.dense_4h_to_h")),
    };

    /// <summary>The name of a tensor, without <c>.weight</c>; null where the family has no such tensor.</summary>
    /// <param name="layer">The layer, or null outside the layers.</param>
    /// <param name="part">llama.cpp's name without prefix and ending: <c>attn_q</c>, <c>token_embd</c>.</param>
    public string? Find(int? layer, string part)
    {
        if (layer is { } index)
            return Parts.TryGetValue(part, out var name) ? Layer.Replace("*", index.ToString(), StringComparison.Ordinal) + name : null;
        return part switch
        {
            "token_embd" => Embedding,
            "position_embd" => Positions,
            "output_norm" => FinalNorm,
            "output" => Head,
            _ => null,
        };
    }

    private static FrozenDictionary<string, string> Table(params (string Part, string Name)[] parts) => parts.ToFrozenDictionary(pair => pair.Part, pair => pair.Name);

    private HuggingFaceNames With(params (string Part, string Name)[] parts)
    {
        var table = Parts.ToDictionary();
        foreach (var (part, name) in parts)
            table[part] = name;
        return this with { Parts = table.ToFrozenDictionary() };
    }
}

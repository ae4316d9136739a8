namespace Plimsoll.Planning.Weights.Gguf;

/// <summary>The broad kinds of tensors that the mixing rules distinguish.</summary>
public enum GgufCategory
{
    TokenEmbedding,
    Output,
    AttentionQ,
    AttentionK,
    AttentionV,
    AttentionQkv,
    AttentionKvB,
    AttentionOutput,
    FeedForwardUp,
    FeedForwardGate,
    FeedForwardDown,
    Other,
}

internal static class GgufCategories
{
    /// <summary>The category by name, first match wins. Source: llama.cpp src/llama-quant.cpp (tensor_get_category), commit 007dbbf.</summary>
    public static GgufCategory Of(string name)
    {
        if (name == "output.weight")
            return GgufCategory.Output;
        if (name is "token_embd.weight" or "per_layer_token_embd.weight")
            return GgufCategory.TokenEmbedding;
        foreach (var (part, category) in Parts)
        {
            if (name.Contains(part, StringComparison.Ordinal))
                return category;
        }
        return GgufCategory.Other;
    }

    /// <summary>The tensors that hold attention values share one counter.</summary>
    public static bool IsValueLike(this GgufCategory category) =>
        category is GgufCategory.AttentionV or GgufCategory.AttentionQkv or GgufCategory.AttentionKvB;

    private static readonly (string Part, GgufCategory Category)[] Parts =
    [
        ("attn_qkv.weight", GgufCategory.AttentionQkv),
        ("attn_kv_b.weight", GgufCategory.AttentionKvB),
        ("attn_v.weight", GgufCategory.AttentionV),
        ("attn_k.weight", GgufCategory.AttentionK),
        ("attn_q.weight", GgufCategory.AttentionQ),
        ("attn_output.weight", GgufCategory.AttentionOutput),
        ("ffn_up", GgufCategory.FeedForwardUp),
        ("ffn_gate", GgufCategory.FeedForwardGate),
        ("ffn_down", GgufCategory.FeedForwardDown),
    ];
}

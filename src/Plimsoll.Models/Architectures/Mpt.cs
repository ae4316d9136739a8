namespace Plimsoll.Models.Architectures;

/// <summary>MPT: ALiBi, no biases, fused projections.</summary>
internal static class Mpt
{
    public static DecoderFacts Write(ArchitectureContext context)
    {
        var config = context.Config;
        var attention = config.Nested("attn_config");
        var facts = context.Facts(tied: true);
        var ratio = config.Count("expansion_ratio", 4);
        facts = facts with { FeedForward = checked(ratio * facts.Hidden), KeyValueHeads = attention?.TryCount("kv_n_heads") ?? facts.KeyValueHeads };
        var bias = !config.Flag("no_bias", true);
        if (config.Flag("learned_pos_emb", true) && !(attention?.Flag("alibi", false) ?? true))
            context.Builder.Tensor(context.Trunk("transformer.") + "wpe.weight", TensorRole.PositionEmbedding, facts.MaxContext ?? throw config.Missing("max_seq_len"), facts.Hidden);
        return context.Write(facts, new()
        {
            Embedding = "wte",
            LayersFolder = "blocks.",
            FinalNorm = "norm_f",
            NormBias = bias,
            LayerNorms = ["norm_1", "norm_2"],
            AttentionFolder = "attn.",
            Attention = new()
            {
                Fused = "Wqkv",
                Output = "out_proj",
                InputBias = bias,
                OutputBias = bias,
                QueryKeyNorm = attention?.Flag("qk_ln", false) ?? false ? QueryKeyNorm.WholeProjection : QueryKeyNorm.None,
                QueryNorm = "q_ln",
                KeyNorm = "k_ln",
            },
            FeedForwardFolder = "ffn.",
            FeedForward = FeedForwardStyle.Plain("up_proj", "down_proj", bias),
        }, "transformer.");
    }
}

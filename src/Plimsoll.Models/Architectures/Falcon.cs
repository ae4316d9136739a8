namespace Plimsoll.Models.Architectures;

/// <summary>Falcon 1 and 2: one key-value head (7B), or groups of them (40B, 180B, 11B: the "new decoder architecture"). Falcon 3 is Llama.</summary>
internal static class Falcon
{
    public static DecoderFacts Write(ArchitectureContext context)
    {
        var config = context.Config;
        var facts = context.Facts(tied: true);
        var newDecoder = config.Flag("new_decoder_architecture", context.ModelType == "RefinedWeb");
        if (!newDecoder)
            facts = facts with { KeyValueHeads = config.Flag("multi_query", true) ? 1 : facts.Heads };
        if (facts.FeedForward == 0)
            facts = facts with { FeedForward = 4 * facts.Hidden };
        var bias = config.Flag("bias", false);
        if (facts.Tied && !newDecoder)
            context.Builder.Note("The published file may hold the output head beside the embedding although they are one matrix; it is counted once.");
        return context.Write(facts, new()
        {
            Embedding = "word_embeddings",
            LayersFolder = "h.",
            FinalNorm = "ln_f",
            NormBias = true,
            LayerNorms = Norms(context, newDecoder),
            AttentionFolder = "self_attention.",
            Attention = new() { Fused = "query_key_value", Output = "dense", InputBias = bias, OutputBias = bias },
            FeedForward = FeedForwardStyle.Plain("dense_h_to_4h", "dense_4h_to_h", bias),
        }, "transformer.");
    }

    private static string[] Norms(ArchitectureContext context, bool newDecoder)
    {
        if (newDecoder && context.Config.Count("num_ln_in_parallel_attn", 2) == 2)
            return ["ln_attn", "ln_mlp"];
        return newDecoder || context.Config.Flag("parallel_attn", true) ? ["input_layernorm"] : ["input_layernorm", "post_attention_layernorm"];
    }
}

namespace Plimsoll.Models.Architectures;

/// <summary>BLOOM and BLOOMZ: ALiBi, biases everywhere, a norm behind the embedding.</summary>
internal static class Bloom
{
    public static DecoderFacts Write(ArchitectureContext context)
    {
        var facts = context.Facts(tied: true) with { FeedForward = 0 };
        facts = facts with { FeedForward = 4 * facts.Hidden };
        context.Builder.Norm(context.Trunk("transformer.") + "word_embeddings_layernorm", facts.Hidden, bias: true);
        return context.Write(facts, new()
        {
            Embedding = "word_embeddings",
            LayersFolder = "h.",
            FinalNorm = "ln_f",
            NormBias = true,
            AttentionFolder = "self_attention.",
            Attention = new() { Fused = "query_key_value", Output = "dense", InputBias = true, OutputBias = true },
            FeedForward = FeedForwardStyle.Plain("dense_h_to_4h", "dense_4h_to_h", bias: true),
        }, "transformer.");
    }
}

namespace Plimsoll.Models.Architectures;

/// <summary>EXAONE 3 and 4.</summary>
internal static class Exaone
{
    /// <summary>EXAONE 3: Llama under GPT-2's names.</summary>
    public static DecoderFacts Write(ArchitectureContext context) => context.Write(context.Facts(), new()
    {
        Embedding = "wte",
        LayersFolder = "h.",
        FinalNorm = "ln_f",
        LayerNorms = ["ln_1", "ln_2"],
        AttentionFolder = "attn.attention.",
        Attention = new() { Output = "out_proj" },
        FeedForward = new() { Gate = "c_fc_0", Up = "c_fc_1", Down = "c_proj" },
    }, "transformer.");

    /// <summary>EXAONE 4: norms behind attention and feed-forward, query and key norms, three sliding layers of four in the large one.</summary>
    public static DecoderFacts Write4(ArchitectureContext context)
    {
        var facts = context.Facts();
        return context.Write(facts, new()
        {
            Attention = new() { QueryKeyNorm = QueryKeyNorm.SharedByHeads },
            LayerNorms = ["post_attention_layernorm", "post_feedforward_layernorm"],
            Window = Windows.Read(context.Config, facts.Layers, Windows.AllButEvery(context.Config.Count("sliding_window_pattern", 4))),
        });
    }
}

namespace Plimsoll.Models.Architectures;

/// <summary>Phi-1 to Phi-4-mini.</summary>
internal static class Phi
{
    /// <summary>Phi-1, 1.5 and 2: attention and feed-forward side by side behind one LayerNorm, biases everywhere, also on the head.</summary>
    public static DecoderFacts WritePhi(ArchitectureContext context)
    {
        var norm = context.Config.Flag("qk_layernorm", false) ? QueryKeyNorm.SharedByHeads : QueryKeyNorm.None;
        return context.Write(context.Facts(), new()
        {
            FinalNorm = "final_layernorm",
            NormBias = true,
            LayerNorms = ["input_layernorm"],
            Attention = new()
            {
                Output = "dense",
                InputBias = true,
                OutputBias = true,
                QueryKeyNorm = norm,
                QueryNorm = "q_layernorm",
                KeyNorm = "k_layernorm",
                QueryKeyNormBias = true,
            },
            FeedForward = FeedForwardStyle.Plain("fc1", "fc2", bias: true),
            HeadBias = true,
        });
    }

    /// <summary>Phi-3, 3.5 and 4: Llama with fused projections.</summary>
    public static DecoderFacts WritePhi3(ArchitectureContext context)
    {
        var facts = context.Facts();
        return context.Write(facts, new()
        {
            Attention = new() { Fused = "qkv_proj" },
            FeedForward = new() { Gate = null, Up = "gate_up_proj", FusedGateUp = true },
            Window = Windows.Read(context.Config, facts.Layers, _ => true),
        });
    }
}

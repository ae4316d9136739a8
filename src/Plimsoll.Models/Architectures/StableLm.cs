namespace Plimsoll.Models.Architectures;

/// <summary>StableLM 3B-4E1T and StableLM 2 (LayerNorm, gated feed-forward), and StarCoder 2 (LayerNorm, plain feed-forward).</summary>
internal static class StableLm
{
    public static DecoderFacts Write(ArchitectureContext context)
    {
        var config = context.Config;
        var bias = config.Flag("use_qkv_bias", false);
        var norms = config.Flag("qk_layernorm", false);
        return context.Write(context.Facts(), new()
        {
            NormBias = true,
            LayerNorms = config.Flag("use_parallel_residual", false) ? ["input_layernorm"] : ["input_layernorm", "post_attention_layernorm"],
            Attention = new() { InputBias = bias },
            Mixer = !norms ? null : layer =>
            {
                HeadNorms(layer, "q_layernorm", layer.Facts.Heads);
                HeadNorms(layer, "k_layernorm", layer.Facts.KeyValueHeads);
                return new(Decoder.Attention(layer));
            },
        });
    }

    public static DecoderFacts WriteStarCoder2(ArchitectureContext context)
    {
        var config = context.Config;
        var facts = context.Facts(tied: true);
        var bias = config.Flag("use_bias", true);
        return context.Write(facts, new()
        {
            NormBias = true,
            Attention = new() { InputBias = bias, OutputBias = bias },
            FeedForward = FeedForwardStyle.Plain("c_fc", "c_proj", bias),
            Window = Windows.Read(config, facts.Layers, _ => true),
        });
    }

    /// <summary>Nemotron 3/4 and Minitron: LayerNorm, a plain feed-forward part with a squared ReLU.</summary>
    public static DecoderFacts WriteNemotron(ArchitectureContext context)
    {
        var style = Llama.Style(context);
        return context.Write(context.Facts(), style with { NormBias = true, FeedForward = FeedForwardStyle.Plain("up_proj", "down_proj", context.Config.Flag("mlp_bias", false)) });
    }

    private static void HeadNorms(DecoderLayer layer, string name, int heads)
    {
        for (var head = 0; head < heads; head++)
            layer.Builder.Norm($"{layer.Prefix}self_attn.{name}.norms.{head}", layer.Facts.HeadDim);
    }
}

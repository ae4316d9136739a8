namespace Plimsoll.Models.Architectures;

/// <summary>StableLM 3B-4E1T and StableLM 2: LayerNorm, gated feed-forward. StableLM Alpha is GPT-NeoX.</summary>
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

    private static void HeadNorms(DecoderLayer layer, string name, int heads)
    {
        for (var head = 0; head < heads; head++)
            layer.Builder.Norm($"{layer.Prefix}self_attn.{name}.norms.{head}", layer.Facts.HeadDim);
    }
}

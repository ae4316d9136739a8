namespace Plimsoll.Models.Architectures;

/// <summary>StarCoder 2: LayerNorm, biases, a plain feed-forward part.</summary>
internal static class StarCoder2
{
    public static DecoderFacts Write(ArchitectureContext context)
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
}

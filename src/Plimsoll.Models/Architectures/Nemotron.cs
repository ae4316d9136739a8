namespace Plimsoll.Models.Architectures;

/// <summary>Nemotron 3/4 and Minitron. The hybrids and the searched ones are elsewhere.</summary>
internal static class Nemotron
{
    /// <summary>Nemotron 3/4 and Minitron: LayerNorm, a plain feed-forward part with a squared ReLU.</summary>
    public static DecoderFacts Write(ArchitectureContext context)
    {
        var style = Llama.Style(context);
        return context.Write(context.Facts(), style with { NormBias = true, FeedForward = FeedForwardStyle.Plain("up_proj", "down_proj", context.Config.Flag("mlp_bias", false)) });
    }
}

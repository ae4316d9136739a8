namespace Plimsoll.Models.Architectures;

/// <summary>OLMo 1 to 3 and OLMoE.</summary>
internal static class Olmo
{
    private static readonly string[] NormsBehind = ["post_attention_layernorm", "post_feedforward_layernorm"];

    /// <summary>OLMo 1: norms without weights.</summary>
    public static DecoderFacts WriteOlmo(ArchitectureContext context) => context.Write(context.Facts(), Llama.Style(context) with { LayerNorms = [], FinalNorm = null });

    /// <summary>OLMo 2: norms behind attention and feed-forward, query and key norms over the whole projections.</summary>
    public static DecoderFacts WriteOlmo2(ArchitectureContext context) => context.Write(context.Facts(), Style(context) with { LayerNorms = NormsBehind });

    /// <summary>OLMo 3: OLMo 2 with three sliding layers of four.</summary>
    public static DecoderFacts WriteOlmo3(ArchitectureContext context)
    {
        var facts = context.Facts();
        return context.Write(facts, Style(context) with { LayerNorms = NormsBehind, Window = Windows.Read(context.Config, facts.Layers, Windows.AllButEvery(4)) });
    }

    public static DecoderFacts WriteOlmoe(ArchitectureContext context)
    {
        var facts = context.Facts();
        var experts = new ExpertShape(context.Config.Count("num_experts"), context.Config.Count("num_experts_per_tok"), facts.FeedForward, SharedWidth: 0);
        return context.Write(facts, Style(context) with { LayerFeedForward = layer => Decoder.Experts(layer, new(), experts) });
    }

    private static DecoderStyle Style(ArchitectureContext context)
    {
        var style = Llama.Style(context);
        return style with { Attention = style.Attention with { QueryKeyNorm = QueryKeyNorm.WholeProjection } };
    }
}

namespace Plimsoll.Models.Architectures;

/// <summary>Command-R, Aya (cohere) and Command-R7B, Command-A (cohere2): one LayerNorm without bias in front of attention and feed-forward side by side.</summary>
internal static class Cohere
{
    public static DecoderFacts Write(ArchitectureContext context)
    {
        var style = Style(context);
        var norm = context.Config.Flag("use_qk_norm", false) ? QueryKeyNorm.PerHead : QueryKeyNorm.None;
        return context.Write(context.Facts(tied: true), style with { Attention = style.Attention with { QueryKeyNorm = norm } });
    }

    /// <summary>Three sliding layers, then one over the whole context.</summary>
    public static DecoderFacts WriteCohere2(ArchitectureContext context)
    {
        var facts = context.Facts(tied: true);
        var period = context.Config.TryCount("sliding_window_pattern", "_sliding_window_pattern") ?? 4;
        return context.Write(facts, Style(context) with { Window = Windows.Read(context.Config, facts.Layers, Windows.AllButEvery(period)) });
    }

    private static DecoderStyle Style(ArchitectureContext context) => Llama.Style(context) with { LayerNorms = ["input_layernorm"] };
}

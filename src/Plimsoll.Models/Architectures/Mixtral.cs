namespace Plimsoll.Models.Architectures;

/// <summary>Mixtral and what copied its naming of experts: Phi-3.5-MoE, MiniMax M2.</summary>
internal static class Mixtral
{
    private static readonly ExpertStyle Experts = new()
    {
        Router = "block_sparse_moe.gate",
        Experts = "block_sparse_moe.experts.*.",
        Matrices = new() { Gate = "w1", Up = "w3", Down = "w2" },
    };

    public static DecoderFacts Write(ArchitectureContext context)
    {
        var facts = context.Facts();
        var experts = ReadExperts(context, facts.FeedForward);
        return context.Write(facts, Llama.Style(context) with
        {
            Window = Windows.Read(context.Config, facts.Layers, _ => true),
            LayerFeedForward = layer => Decoder.Experts(layer, Experts, experts),
        });
    }

    /// <summary>Phi-3.5-MoE: LayerNorm, biases on attention and head.</summary>
    public static DecoderFacts WritePhiMoe(ArchitectureContext context)
    {
        var facts = context.Facts();
        var experts = ReadExperts(context, facts.FeedForward);
        return context.Write(facts, Llama.Style(context) with
        {
            NormBias = true,
            HeadBias = context.Config.Flag("lm_head_bias", false),
            Window = Windows.Read(context.Config, facts.Layers, _ => true),
            LayerFeedForward = layer => Decoder.Experts(layer, Experts, experts),
        });
    }

    /// <summary>MiniMax M2: query and key norms over the whole projections, a corrected routing.</summary>
    public static DecoderFacts WriteMiniMaxM2(ArchitectureContext context)
    {
        var facts = context.Facts();
        var experts = ReadExperts(context, facts.FeedForward);
        if (context.Config.Flag("use_mtp", false))
            context.Builder.Note("The next-token (MTP) modules that the configuration mentions are not in the published checkpoint and not counted.");
        return context.Write(facts, new()
        {
            Attention = new() { QueryKeyNorm = QueryKeyNorm.WholeProjection },
            LayerFeedForward = layer => Decoder.Experts(layer, Experts with { Correction = "block_sparse_moe.e_score_correction_bias" }, experts),
        });
    }

    private static ExpertShape ReadExperts(ArchitectureContext context, int width) =>
        new(context.Config.Count("num_local_experts", "num_experts"), context.Config.Count("num_experts_per_tok"), width, SharedWidth: 0);
}

namespace Plimsoll.Models.Architectures;

/// <summary>Qwen 1 to 3, dense and with experts. The gated-delta hybrids are in a file of their own.</summary>
internal static class Qwen
{
    private static readonly DecoderStyle Qwen2Style = new() { Attention = new() { InputBias = true } };

    private static readonly ExpertStyle Qwen2Experts = new() { Shared = "mlp.shared_expert.", SharedGate = "mlp.shared_expert_gate" };

    /// <summary>Qwen 1: GPT-2 names; <c>intermediate_size</c> counts gate and up together.</summary>
    public static DecoderFacts WriteQwen1(ArchitectureContext context)
    {
        var facts = context.Facts();
        var bias = !context.Config.Flag("no_bias", true);
        QwenVision.WriteTower1(context);
        return context.Write(facts with { FeedForward = facts.FeedForward / 2 }, new()
        {
            Embedding = "wte",
            LayersFolder = "h.",
            FinalNorm = "ln_f",
            AttentionFolder = "attn.",
            Attention = new() { Fused = "c_attn", Output = "c_proj", InputBias = true, OutputBias = bias },
            FeedForward = new() { Gate = "w2", Up = "w1", Down = "c_proj", Bias = bias, DownBias = bias },
            LayerNorms = ["ln_1", "ln_2"],
        }, "transformer.");
    }

    /// <summary>Qwen 1.5, 2 and 2.5: Llama with biases on queries, keys and values.</summary>
    public static DecoderFacts WriteQwen2(ArchitectureContext context)
    {
        var facts = context.Facts();
        return context.Write(facts, Qwen2Style with { Window = Window(context, facts) });
    }

    public static DecoderFacts WriteQwen2Moe(ArchitectureContext context)
    {
        var facts = context.Facts();
        var experts = ReadExperts(context, context.Config.Width("shared_expert_intermediate_size", 5632));
        return context.Write(facts, Qwen2Style with { Window = Window(context, facts), LayerFeedForward = Sparse(context, Qwen2Experts, experts) });
    }

    /// <summary>Qwen 3: query and key norms instead of biases.</summary>
    public static DecoderFacts WriteQwen3(ArchitectureContext context)
    {
        var facts = context.Facts();
        return context.Write(facts, Qwen3Style(context) with { Window = Window(context, facts) });
    }

    public static DecoderFacts WriteQwen3Moe(ArchitectureContext context)
    {
        var facts = context.Facts();
        return context.Write(facts, Qwen3Style(context) with
        {
            Window = Window(context, facts),
            LayerFeedForward = Sparse(context, new ExpertStyle(), ReadExperts(context, shared: 0)),
        });
    }

    public static DecoderStyle Qwen3Style(ArchitectureContext context)
    {
        var bias = context.Config.Flag("attention_bias", false);
        return new() { Attention = new() { InputBias = bias, OutputBias = bias, QueryKeyNorm = QueryKeyNorm.SharedByHeads } };
    }

    public static ExpertShape ReadExperts(ArchitectureContext context, int shared) => new(
        context.Config.Count("num_experts", "n_routed_experts", "num_local_experts"),
        context.Config.Count("num_experts_per_tok", "num_experts_per_token"),
        context.Config.Width("moe_intermediate_size"),
        shared);

    /// <summary>Every <c>decoder_sparse_step</c>-th layer has experts, but those listed in <c>mlp_only_layers</c> stay dense.</summary>
    public static Func<DecoderLayer, FeedForwardShape?> Sparse(ArchitectureContext context, ExpertStyle style, ExpertShape experts)
    {
        var step = Math.Max(1, context.Config.Count("decoder_sparse_step", 1));
        var dense = context.Config.Integers("mlp_only_layers") ?? [];
        return layer => experts.Count > 0 && (layer.Index + 1) % step == 0 && !dense.Contains(layer.Index)
            ? Decoder.Experts(layer, style, experts)
            : Decoder.Dense(layer, layer.Facts.FeedForward);
    }

    /// <summary><c>use_sliding_window</c> turns the window on for the layers from <c>max_window_layers</c> on.</summary>
    private static Func<int, int?>? Window(ArchitectureContext context, DecoderFacts facts)
    {
        if (!context.Config.Flag("use_sliding_window", false))
            return null;
        var first = context.Config.Count("max_window_layers", 28);
        return Windows.Read(context.Config, facts.Layers, layer => layer >= first);
    }
}

namespace Plimsoll.Models.Architectures;

/// <summary>MiMo-V2-Flash: narrower values than keys, five sliding layers of six with twice the key-value heads, experts without shared ones.</summary>
internal static class MiMoV2
{
    private static readonly ExpertStyle Experts = new() { Correction = "mlp.gate.e_score_correction_bias" };

    public static DecoderFacts Write(ArchitectureContext context)
    {
        var config = context.Config;
        var facts = context.Facts();
        var slides = config.Integers("hybrid_layer_pattern", facts.Layers) ?? throw config.Missing("hybrid_layer_pattern");
        var sparse = config.Integers("moe_layer_freq", facts.Layers) ?? throw config.Missing("moe_layer_freq");
        var experts = new ExpertShape(config.Count("n_routed_experts"), config.Count("num_experts_per_tok"), config.Width("moe_intermediate_size"), SharedWidth: 0);
        var full = new Kind(facts.Heads, facts.KeyValueHeads, facts.HeadDim, config.Width("v_head_dim", facts.HeadDim), null, config.Flag("add_full_attention_sink_bias", false));
        var sliding = new Kind(
            config.Count("swa_num_attention_heads", facts.Heads),
            config.Count("swa_num_key_value_heads", facts.KeyValueHeads),
            config.Width("swa_head_dim", facts.HeadDim),
            config.Width("swa_v_head_dim", full.ValueDim),
            config.TryTokens("sliding_window", "sliding_window_size") ?? throw config.Missing("sliding_window"),
            config.Flag("add_swa_attention_sink_bias", false));
        context.Builder.Note("The next-token (MTP) layers of this architecture are not counted.", Confidence.Medium);
        return context.Write(facts, new()
        {
            Mixer = layer => new(Attention(layer, slides[layer.Index] == 1 ? sliding : full)),
            LayerFeedForward = layer => sparse[layer.Index] == 1 ? Decoder.Experts(layer, Experts, experts) : Decoder.Dense(layer, facts.FeedForward),
        });
    }

    private static AttentionShape Attention(DecoderLayer layer, Kind kind)
    {
        var (builder, hidden, folder) = (layer.Builder, (long)layer.Facts.Hidden, layer.Prefix + "self_attn.");
        builder.Linear(folder + "q_proj", (long)kind.Heads * kind.KeyDim, hidden, TensorRole.Attention);
        builder.Linear(folder + "k_proj", (long)kind.KeyValueHeads * kind.KeyDim, hidden, TensorRole.Attention);
        builder.Linear(folder + "v_proj", (long)kind.KeyValueHeads * kind.ValueDim, hidden, TensorRole.Attention);
        builder.Linear(folder + "o_proj", hidden, (long)kind.Heads * kind.ValueDim, TensorRole.Attention);
        if (kind.Sinks)
            builder.Tensor(folder + "attention_sink_bias", TensorRole.Attention, kind.Heads);
        return new() { Heads = kind.Heads, KeyValueHeads = kind.KeyValueHeads, KeyHeadDim = kind.KeyDim, ValueHeadDim = kind.ValueDim, Window = kind.Window };
    }

    /// <summary>One of the two kinds of attention.</summary>
    private sealed record Kind(int Heads, int KeyValueHeads, int KeyDim, int ValueDim, int? Window, bool Sinks);
}

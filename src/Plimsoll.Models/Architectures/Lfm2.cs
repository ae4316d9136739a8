using Plimsoll.Models.Configuration;

namespace Plimsoll.Models.Architectures;

/// <summary>LFM2: short convolutions in most layers, attention in some; LFM2-MoE adds experts.</summary>
internal static class Lfm2
{
    private static readonly FeedForwardStyle Matrices = new() { Gate = "w1", Up = "w3", Down = "w2" };

    public static DecoderFacts Write(ArchitectureContext context) => Write(context, _ => null);

    public static DecoderFacts WriteMoe(ArchitectureContext context)
    {
        var config = context.Config;
        var experts = new ExpertShape(config.Count("num_experts"), config.Count("num_experts_per_tok"), config.Width("moe_intermediate_size"), SharedWidth: 0);
        var dense = config.Count("num_dense_layers", 2);
        var style = new ExpertStyle
        {
            Router = "feed_forward.gate",
            Experts = "feed_forward.experts.*.",
            Matrices = Matrices,
            Correction = config.Flag("use_expert_bias", true) ? "feed_forward.expert_bias" : null,
        };
        return Write(context, layer => layer.Index < dense ? null : Decoder.Experts(layer, style, experts));
    }

    private static DecoderFacts Write(ArchitectureContext context, Func<DecoderLayer, FeedForwardShape?> experts)
    {
        var config = context.Config;
        var tied = config.TryFlag("tie_word_embeddings") ?? config.Flag("tie_embedding", true);
        var facts = context.Facts(tied, FeedForwardWidth(config)) with { Tied = tied };
        var types = config.Texts("layer_types", facts.Layers);
        var indices = config.Integers("full_attn_idxs");
        bool IsAttention(int layer) => types is { } list
            ? list[layer] == "full_attention"
            : (indices ?? throw config.Missing("layer_types", "full_attn_idxs")).Contains(layer);
        var kernel = config.Count("conv_L_cache", 3);
        var convolutionBias = config.Flag("conv_bias", false);
        return context.Write(facts, new()
        {
            FinalNorm = "embedding_norm",
            LayerNorms = ["operator_norm", "ffn_norm"],
            Attention = new() { Output = "out_proj", QueryKeyNorm = QueryKeyNorm.SharedByHeads, QueryNorm = "q_layernorm", KeyNorm = "k_layernorm" },
            FeedForwardFolder = "feed_forward.",
            FeedForward = Matrices,
            Mixer = layer => IsAttention(layer.Index) ? new(Decoder.Attention(layer)) : new(null, ShortConvolution(layer, kernel, convolutionBias)),
            LayerFeedForward = layer => experts(layer) ?? Decoder.Dense(layer, facts.FeedForward),
        });
    }

    /// <summary>State per sequence: the last kernel − 1 inputs.</summary>
    private static RecurrentShape ShortConvolution(DecoderLayer layer, int kernel, bool bias)
    {
        var (builder, hidden, folder) = (layer.Builder, (long)layer.Facts.Hidden, layer.Prefix + "conv.");
        Mamba.Convolution(builder, folder + "conv", hidden, kernel, bias);
        builder.Linear(folder + "in_proj", 3 * hidden, hidden, TensorRole.Recurrent, bias);
        builder.Linear(folder + "out_proj", hidden, hidden, TensorRole.Recurrent, bias);
        return new("short-conv", (kernel - 1) * hidden, 0);
    }

    /// <summary>The configured width is that of a plain part; the gated one has two thirds of it, rounded up to a multiple.</summary>
    private static int FeedForwardWidth(ConfigReader config)
    {
        var width = config.TryWidth("block_ff_dim") ?? config.Width("intermediate_size");
        if (!config.Flag("block_auto_adjust_ff_dim", true))
            return width;
        width = (int)(config.Number("block_ffn_dim_multiplier", 1.0) * (2L * width / 3));
        var multiple = Math.Max(1, config.Count("block_multiple_of", 256));
        return checked(multiple * ((width + multiple - 1) / multiple));
    }
}

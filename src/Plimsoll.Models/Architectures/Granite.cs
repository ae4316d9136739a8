namespace Plimsoll.Models.Architectures;

/// <summary>Granite with experts (3.x MoE) and the Granite 4 hybrids. Dense Granite is Llama with a tied head.</summary>
internal static class Granite
{
    public static DecoderFacts WriteMoe(ArchitectureContext context)
    {
        var facts = context.Facts(tied: true);
        var experts = ReadExperts(context, facts);
        return context.Write(facts, Llama.Style(context) with { LayerFeedForward = layer => Experts(layer, experts!, sharedWidth: 0) });
    }

    /// <summary>Granite 4: Mamba-2 in most layers, attention in few, a shared feed-forward part and, in the larger ones, experts.</summary>
    public static DecoderFacts WriteHybrid(ArchitectureContext context)
    {
        var config = context.Config;
        var facts = context.Facts(tied: true);
        var experts = ReadExperts(context, facts);
        var types = config.Texts("layer_types", facts.Layers) ?? config.Texts("layers_block_type", facts.Layers) ?? throw config.Missing("layer_types");
        var shared = config.Width("shared_intermediate_size", facts.FeedForward);
        var mamba = types.Contains("mamba") ? Mamba2Sizes.Read(config, "mamba_n_heads", "mamba_d_head", "mamba_n_groups", "mamba_d_state", "mamba_d_conv") : null;
        return context.Write(facts, Llama.Style(context) with
        {
            Mixer = layer => types[layer.Index] == "attention"
                ? new(Decoder.Attention(layer))
                : new(null, Mamba.WriteMamba2(layer.Builder, layer.Prefix + "mamba.", mamba!, facts.Hidden, MambaBias.Read(config, "mamba_proj_bias", "mamba_conv_bias"), gatedNorm: true)),
            LayerFeedForward = layer => Experts(layer, experts, shared),
        });
    }

    private static ExpertShape? ReadExperts(ArchitectureContext context, DecoderFacts facts)
    {
        var count = context.Config.Count("num_local_experts", 0);
        return count == 0 ? null : new(count, context.Config.Count("num_experts_per_tok"), facts.FeedForward, context.Config.Width("shared_intermediate_size", 0));
    }

    private static FeedForwardShape Experts(DecoderLayer layer, ExpertShape? experts, int sharedWidth)
    {
        var (builder, hidden) = (layer.Builder, (long)layer.Facts.Hidden);
        if (experts is not null)
        {
            var folder = layer.Prefix + "block_sparse_moe.";
            builder.Linear(folder + "router.layer", experts.Count, hidden, TensorRole.Router);
            builder.ExpertStack(folder + "input_linear.weight", experts, linear: true, 2L * experts.Width, hidden);
            builder.ExpertStack(folder + "output_linear.weight", experts, linear: true, hidden, experts.Width);
        }
        if (sharedWidth > 0)
        {
            var role = experts is null ? TensorRole.FeedForward : TensorRole.SharedExpert;
            builder.Linear(layer.Prefix + "shared_mlp.input_linear", 2L * sharedWidth, hidden, role);
            builder.Linear(layer.Prefix + "shared_mlp.output_linear", hidden, sharedWidth, role);
        }
        return new(experts is null ? sharedWidth : 0, Gated: true, experts);
    }
}

namespace Plimsoll.Models.Architectures;

/// <summary>Kimi Linear: Kimi delta attention (KDA) in three layers of four, latent attention in the others, experts.</summary>
internal static class KimiLinear
{
    private static readonly ExpertStyle Experts = new()
    {
        Router = "block_sparse_moe.gate",
        Correction = "block_sparse_moe.gate.e_score_correction_bias",
        Experts = "block_sparse_moe.experts.*.",
        Matrices = new() { Gate = "w1", Up = "w3", Down = "w2" },
    };

    public static DecoderFacts Write(ArchitectureContext context)
    {
        var config = context.Config;
        var linear = config.Nested("linear_attn_config") ?? throw config.Missing("linear_attn_config");
        if (config.Has("routed_expert_hidden_size") || linear.Has("use_full_rank_gate"))
            throw new UnknownArchitectureException(context.ModelType, "its experts or gates differ from Kimi-Linear-48B in ways that are not published as tensors", "kimi_linear");
        var facts = context.Facts();
        // The lists count layers from 1.
        var full = linear.Integers("full_attn_layers") ?? throw linear.Missing("full_attn_layers");
        var (heads, dim, kernel) = (linear.Count("num_heads"), linear.Width("head_dim"), linear.Count("short_conv_kernel_size", 4));
        var latent = new LatentSizes(config);
        var routed = new ExpertShape(
            config.Count("num_experts"),
            config.Count("num_experts_per_token", "num_experts_per_tok"),
            config.Width("moe_intermediate_size"),
            checked(config.Count("num_shared_experts", 0) * config.Width("moe_intermediate_size")));
        var dense = config.Count("first_k_dense_replace", 0);
        return context.Write(facts, Llama.Style(context) with
        {
            Mixer = layer => full.Contains(layer.Index + 1) ? new(Deepseek.Attention(layer, latent)) : new(null, Delta(layer, heads, dim, kernel)),
            LayerFeedForward = layer => layer.Index < dense ? Decoder.Dense(layer, facts.FeedForward) : Routed(layer, routed),
        });
    }

    private static FeedForwardShape Routed(DecoderLayer layer, ExpertShape experts)
    {
        var shape = Decoder.Experts(layer, Experts, experts);
        if (experts.SharedWidth > 0)
            Decoder.Matrices(layer.Builder, layer.Prefix + "block_sparse_moe.shared_experts.", new(), layer.Facts.Hidden, experts.SharedWidth, TensorRole.SharedExpert);
        return shape;
    }

    /// <summary>State per sequence: a dim × dim matrix per head, and the last kernel − 1 inputs of three convolutions.</summary>
    private static RecurrentShape Delta(DecoderLayer layer, int heads, int dim, int kernel)
    {
        var (builder, hidden, folder) = (layer.Builder, (long)layer.Facts.Hidden, layer.Prefix + "self_attn.");
        var width = (long)heads * dim;
        foreach (var name in (ReadOnlySpan<string>)["q", "k", "v"])
        {
            builder.Linear($"{folder}{name}_proj", width, hidden, TensorRole.Recurrent);
            Mamba.Convolution(builder, $"{folder}{name}_conv1d", width, kernel, bias: false);
        }
        builder.Tensor(folder + "A_log", TensorRole.Recurrent, 1, 1, heads, 1);
        builder.Linear(folder + "f_a_proj", dim, hidden, TensorRole.Recurrent);
        builder.Linear(folder + "f_b_proj", width, dim, TensorRole.Recurrent);
        builder.Tensor(folder + "dt_bias", TensorRole.Recurrent, width);
        builder.Linear(folder + "b_proj", heads, hidden, TensorRole.Recurrent);
        builder.Linear(folder + "g_a_proj", dim, hidden, TensorRole.Recurrent);
        builder.Linear(folder + "g_b_proj", width, dim, TensorRole.Recurrent);
        builder.Norm(folder + "o_norm", dim);
        builder.Linear(folder + "o_proj", hidden, width, TensorRole.Recurrent);
        return new("kda", 3L * (kernel - 1) * width, width * dim);
    }
}

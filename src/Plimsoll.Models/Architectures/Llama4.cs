namespace Plimsoll.Models.Architectures;

/// <summary>Llama 4: experts with one shared, chunked attention in three layers of four.</summary>
internal static class Llama4
{
    private static readonly ExpertStyle Experts = new() { Router = "feed_forward.router", Shared = "feed_forward.shared_expert." };

    public static DecoderFacts Write(ArchitectureContext context)
    {
        var config = context.Config;
        var facts = context.Facts();
        var experts = new ExpertShape(config.Count("num_local_experts", 16), config.Count("num_experts_per_tok", 1), facts.FeedForward, SharedWidth: facts.FeedForward);
        var denseWidth = config.Width("intermediate_size_mlp", 16384);
        var step = Math.Max(1, config.Count("interleave_moe_layer_step", 1));
        var listed = config.Integers("moe_layers");
        var chunk = config.TryTokens("attention_chunk_size");
        var types = config.Texts("layer_types", facts.Layers);
        var noRope = config.Integers("no_rope_layers");
        // A layer with rotary positions (1 in no_rope_layers) is chunked; every fourth has none and attends to the whole context.
        bool IsChunked(int layer) => types is { } list
            ? list[layer] == "chunked_attention"
            : noRope is { Length: > 0 } rope && layer < rope.Length ? rope[layer] != 0 : (layer + 1) % Math.Max(1, config.Count("no_rope_layer_interval", 4)) != 0;
        return context.Write(facts, Llama.Style(context) with
        {
            FeedForwardFolder = "feed_forward.",
            Mixer = layer =>
            {
                var attention = Decoder.Attention(layer);
                return new(chunk is { } length && IsChunked(layer.Index) ? attention with { Window = length, Chunked = true } : attention);
            },
            LayerFeedForward = layer => (listed is { } moe ? moe.Contains(layer.Index) : layer.Index % step == step - 1)
                ? StackedExperts(layer, experts)
                : Decoder.Dense(layer, denseWidth),
        });
    }

    private static FeedForwardShape StackedExperts(DecoderLayer layer, ExpertShape experts)
    {
        var (builder, hidden, folder) = (layer.Builder, (long)layer.Facts.Hidden, layer.Prefix + "feed_forward.");
        builder.Linear(layer.Prefix + Experts.Router, experts.Count, hidden, TensorRole.Router);
        builder.ExpertStack(folder + "experts.gate_up_proj", experts, linear: true, hidden, 2L * experts.Width);
        builder.ExpertStack(folder + "experts.down_proj", experts, linear: true, experts.Width, hidden);
        Decoder.SharedExperts(layer, Experts, experts.SharedWidth);
        return new(0, Gated: true, experts);
    }
}

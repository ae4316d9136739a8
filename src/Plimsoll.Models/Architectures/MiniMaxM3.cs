namespace Plimsoll.Models.Architectures;

/// <summary>MiniMax M3: M2 with a shared expert, dense first layers, and an indexer that chooses blocks of keys (MSA).</summary>
/// <remarks>Sizes follow the transformers implementation (models/minimax_m3_vl); the names of the indexer's tensors are not verified.</remarks>
internal static class MiniMaxM3
{
    private static readonly ExpertStyle Experts = new()
    {
        Router = "block_sparse_moe.gate",
        Correction = "block_sparse_moe.e_score_correction_bias",
        Experts = "block_sparse_moe.experts.*.",
        Matrices = new() { Gate = "w1", Up = "w3", Down = "w2" },
    };

    public static DecoderFacts Write(ArchitectureContext context)
    {
        var inner = context.Config.Nested("text_config") is { } text ? context with { Config = text, Outer = context.Config, TrunkPrefix = "model.language_model." } : context;
        var config = inner.Config;
        var facts = inner.Facts();
        var sparse = config.Integers("moe_layer_freq", facts.Layers);
        var indexed = config.Nested("sparse_attention_config");
        var blocks = indexed?.Integers("sparse_attention_freq", facts.Layers);
        var (indexHeads, indexDim) = (indexed?.Count("sparse_num_index_heads", 4) ?? 0, indexed?.Width("sparse_index_dim", 128) ?? 0);
        var dense = config.Width("dense_intermediate_size", facts.FeedForward);
        var experts = new ExpertShape(config.Count("num_local_experts"), config.Count("num_experts_per_tok"), facts.FeedForward, checked(config.Count("n_shared_experts", 1) * config.Width("shared_intermediate_size", 0)));
        context.Builder.Note("The block indexer (MSA) keeps keys of its own, and the names of its tensors are not verified; a vision tower and next-token layers are not counted.", Confidence.Low);
        return inner.Write(facts, new()
        {
            Attention = new() { QueryKeyNorm = QueryKeyNorm.SharedByHeads },
            Mixer = layer => new(blocks is { } list && list[layer.Index] == 1 ? Indexed(layer, indexHeads, indexDim) : Decoder.Attention(layer)),
            LayerFeedForward = layer => sparse is { } freq && freq[layer.Index] == 0 ? Decoder.Dense(layer, dense) : Routed(layer, experts),
        });
    }

    private static AttentionShape Indexed(DecoderLayer layer, int heads, int dim)
    {
        var folder = layer.Prefix + "self_attn.";
        layer.Builder.Linear(folder + "index_q_proj", (long)heads * dim, layer.Facts.Hidden, TensorRole.Attention);
        layer.Builder.Linear(folder + "index_k_proj", dim, layer.Facts.Hidden, TensorRole.Attention);
        layer.Builder.Norm(folder + "index_q_norm", dim);
        layer.Builder.Norm(folder + "index_k_norm", dim);
        return Decoder.Attention(layer) with { SparseCacheElements = dim };
    }

    private static FeedForwardShape Routed(DecoderLayer layer, ExpertShape experts)
    {
        var shape = Decoder.Experts(layer, Experts, experts);
        if (experts.SharedWidth > 0)
            Decoder.Matrices(layer.Builder, layer.Prefix + "block_sparse_moe.shared_experts.", new(), layer.Facts.Hidden, experts.SharedWidth, TensorRole.SharedExpert);
        return shape;
    }
}

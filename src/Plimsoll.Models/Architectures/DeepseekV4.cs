using System.Collections.Immutable;
using Plimsoll.Models.Configuration;

namespace Plimsoll.Models.Architectures;

/// <summary>DeepSeek-V4: one shared key-value vector per token inside a window, pooled ones beyond it, experts in every layer, several residual streams.</summary>
/// <remarks>Follows the transformers implementation (models/deepseek_v4). The published files use other tensor names and FP4 experts.</remarks>
internal static class DeepseekV4
{
    private static readonly ExpertStyle Experts = new() { Shared = "mlp.shared_experts." };

    public static DecoderFacts Write(ArchitectureContext context)
    {
        var (config, builder) = (context.Config, context.Builder);
        var facts = context.Facts(feedForward: 0);
        var sizes = new Sizes(config, facts);
        builder.Note("The pooled caches of this architecture depend on the engine; what the layers state follows the transformers library. The next-token (MTP) layer is not counted.", Confidence.Low);
        var experts = new ExpertShape(config.Count("n_routed_experts"), config.Count("num_experts_per_tok"), sizes.ExpertWidth, checked(config.Count("n_shared_experts", 1) * sizes.ExpertWidth));
        var hashed = config.Count("num_hash_layers", 0);
        context.Write(facts, new()
        {
            Mixer = layer => new(Attention(layer, sizes)),
            LayerFeedForward = layer => FeedForward(layer, experts, sizes, layer.Index < hashed),
        });
        var trunk = context.Trunk();
        builder.Tensor(trunk + "hc_head.hc_fn", TensorRole.Other, sizes.Streams, (long)sizes.Streams * facts.Hidden);
        builder.Tensor(trunk + "hc_head.hc_base", TensorRole.Other, sizes.Streams);
        builder.Tensor(trunk + "hc_head.hc_scale", TensorRole.Other, 1);
        return facts;
    }

    private static AttentionShape Attention(DecoderLayer layer, Sizes sizes)
    {
        var (builder, facts, folder) = (layer.Builder, layer.Facts, layer.Prefix + "self_attn.");
        long hidden = facts.Hidden, query = facts.QueryWidth;
        builder.Linear(folder + "q_a_proj", sizes.QueryRank, hidden, TensorRole.Attention);
        builder.Norm(folder + "q_norm", sizes.QueryRank);
        builder.Linear(folder + "q_b_proj", query, sizes.QueryRank, TensorRole.Attention);
        builder.Linear(folder + "kv_proj", facts.HeadDim, hidden, TensorRole.Attention);
        builder.Norm(folder + "kv_norm", facts.HeadDim);
        builder.Linear(folder + "o_a_proj", (long)sizes.OutputGroups * sizes.OutputRank, query / sizes.OutputGroups, TensorRole.Attention);
        builder.Linear(folder + "o_b_proj", hidden, (long)sizes.OutputGroups * sizes.OutputRank, TensorRole.Attention);
        builder.Tensor(folder + "sinks", TensorRole.Attention, facts.Heads);
        var ratio = sizes.Ratios[layer.Index];
        return new()
        {
            Heads = facts.Heads,
            KeyValueHeads = 1,
            KeyHeadDim = facts.HeadDim,
            ValueHeadDim = facts.HeadDim,
            Window = sizes.Window,
            Latent = new(facts.HeadDim - sizes.RopeDim, sizes.RopeDim, sizes.QueryRank),
            SparseCacheElements = Compressor(builder, folder + "compressor.", facts, sizes, ratio),
        };
    }

    /// <summary>Pools every <paramref name="ratio"/> tokens into one vector. The finer kind overlaps its windows and has an indexer in front. Returns pooled elements per token.</summary>
    private static double Compressor(ShapeBuilder builder, string folder, DecoderFacts facts, Sizes sizes, int ratio)
    {
        if (ratio == 0)
            return 0;
        var isFine = ratio < sizes.CoarseRatio;
        Pool(builder, folder, facts, isFine ? 2L * facts.HeadDim : facts.HeadDim, facts.HeadDim, ratio);
        if (!isFine)
            return (double)facts.HeadDim / ratio;
        Pool(builder, folder + "indexer.", facts, 2L * sizes.IndexDim, sizes.IndexDim, ratio);
        builder.Linear(folder + "indexer.q_b_proj", (long)sizes.IndexHeads * sizes.IndexDim, sizes.QueryRank, TensorRole.Attention);
        builder.Linear(folder + "indexer.weights_proj", sizes.IndexHeads, facts.Hidden, TensorRole.Attention);
        return (double)(facts.HeadDim + sizes.IndexDim) / ratio;
    }

    private static void Pool(ShapeBuilder builder, string folder, DecoderFacts facts, long width, long dim, int ratio)
    {
        builder.Linear(folder + "kv_proj", width, facts.Hidden, TensorRole.Attention);
        builder.Linear(folder + "gate_proj", width, facts.Hidden, TensorRole.Attention);
        builder.Tensor(folder + "position_bias", TensorRole.Attention, ratio, width);
        builder.Norm(folder + "kv_norm", dim);
    }

    private static FeedForwardShape FeedForward(DecoderLayer layer, ExpertShape experts, Sizes sizes, bool hashed)
    {
        var (builder, hidden, prefix) = (layer.Builder, (long)layer.Facts.Hidden, layer.Prefix);
        builder.Linear(prefix + "mlp.gate", experts.Count, hidden, TensorRole.Router);
        if (hashed)
            builder.Tensor(prefix + "mlp.gate.tid2eid", TensorRole.Router, layer.Facts.Vocabulary, experts.UsedPerToken);
        else
            builder.Tensor(prefix + "mlp.gate.e_score_correction_bias", TensorRole.Router, experts.Count);
        builder.ExpertStack(prefix + "mlp.experts.gate_up_proj", experts, linear: true, 2L * experts.Width, hidden);
        builder.ExpertStack(prefix + "mlp.experts.down_proj", experts, linear: true, hidden, experts.Width);
        Decoder.SharedExperts(layer, Experts, experts.SharedWidth);
        var mix = (2L + sizes.Streams) * sizes.Streams;
        foreach (var name in (ReadOnlySpan<string>)["attn_hc", "ffn_hc"])
        {
            builder.Tensor($"{prefix}{name}.fn", TensorRole.Other, mix, sizes.Streams * hidden);
            builder.Tensor($"{prefix}{name}.base", TensorRole.Other, mix);
            builder.Tensor($"{prefix}{name}.scale", TensorRole.Other, 3);
        }
        return new(0, Gated: true, experts);
    }

    private sealed class Sizes
    {
        public Sizes(ConfigReader config, DecoderFacts facts)
        {
            QueryRank = config.Width("q_lora_rank");
            RopeDim = config.Width("qk_rope_head_dim", 64);
            OutputGroups = Math.Max(1, config.Count("o_groups", 8));
            OutputRank = config.Width("o_lora_rank");
            IndexHeads = config.Count("index_n_heads", 64);
            IndexDim = config.Width("index_head_dim", 128);
            Window = config.TryTokens("sliding_window") ?? 128;
            Streams = Math.Max(1, config.Count("hc_mult", 4));
            ExpertWidth = config.Width("moe_intermediate_size");
            Ratios = config.Integers("compress_ratios", facts.Layers) ?? throw config.Missing("compress_ratios");
            if (Ratios.Any(ratio => ratio < 0))
                throw config.Wrong("compress_ratios", "numbers of tokens, or 0", "a negative number");
            CoarseRatio = Ratios.Max();
            if (RopeDim > facts.HeadDim)
                throw config.Wrong("qk_rope_head_dim", $"at most the head dimension {facts.HeadDim}", RopeDim.ToString());
        }

        public int QueryRank { get; }

        public int RopeDim { get; }

        public int OutputGroups { get; }

        public int OutputRank { get; }

        public int IndexHeads { get; }

        public int IndexDim { get; }

        public int Window { get; }

        public int Streams { get; }

        public int ExpertWidth { get; }

        /// <summary>Tokens that one pooled vector stands for, per layer; 0 for a layer that sees its window only.</summary>
        public ImmutableArray<int> Ratios { get; }

        /// <summary>The larger of the two ratios: its windows do not overlap and need no indexer.</summary>
        public int CoarseRatio { get; }
    }
}

using Plimsoll.Models.Configuration;

namespace Plimsoll.Models.Architectures;

/// <summary>DeepSeek MoE (v1), V2, V3, R1, V3.2 and what is built like them: Kimi K2, GLM-4.7-Flash, GLM-5, Moonlight.</summary>
internal static class Deepseek
{
    private static readonly ExpertStyle SharedExperts = new() { Shared = "mlp.shared_experts." };

    private static readonly ExpertStyle CorrectedExperts = SharedExperts with { Correction = "mlp.gate.e_score_correction_bias" };

    /// <summary>DeepSeek MoE 16B: ordinary attention, fine-grained experts.</summary>
    public static DecoderFacts WriteV1(ArchitectureContext context) =>
        context.Write(context.Facts(), Llama.Style(context) with { LayerFeedForward = FeedForward(context.Config, SharedExperts) });

    /// <summary>V2: latent attention. The routing has a correction only where <c>topk_method</c> says so.</summary>
    public static DecoderFacts WriteV2(ArchitectureContext context) => Write(context, corrected: context.Config.Text("topk_method") == "noaux_tc", indexer: false);

    public static DecoderFacts WriteV3(ArchitectureContext context) => Write(context, corrected: true, indexer: false);

    /// <summary>GLM-4.7-Flash: V3 in small.</summary>
    public static DecoderFacts WriteGlmLite(ArchitectureContext context) => Write(context, corrected: true, indexer: false);

    /// <summary>V3.2 and GLM-5: an indexer in front of the attention chooses the tokens (DSA). It keeps a cache of its own.</summary>
    public static DecoderFacts WriteV32(ArchitectureContext context) => Write(context, corrected: true, indexer: true);

    private static DecoderFacts Write(ArchitectureContext context, bool corrected, bool indexer)
    {
        var config = context.Config;
        var facts = context.Facts();
        var latent = new LatentSizes(config);
        var indexers = config.Texts("indexer_types", facts.Layers);
        var style = Llama.Style(context) with
        {
            Mixer = layer =>
            {
                if (!indexer || (indexers is { } kinds && layer.Index < kinds.Length && kinds[layer.Index] != "full"))
                    return new(Attention(layer, latent));
                Indexer(layer, config, latent);
                return new(Attention(layer, latent) with { SparseCacheElements = config.Width("index_head_dim") });
            },
            LayerFeedForward = FeedForward(config, corrected ? CorrectedExperts : SharedExperts),
        };
        if (indexer)
            context.Builder.Note("The sparse-attention indexer (DSA) keeps keys of its own; its cache is not part of this shape and depends on the engine.", Confidence.Low);
        context.Write(facts, style);
        WriteNextToken(context, facts, style, ownEmbedding: context.ModelType != "glm_moe_dsa");
        return facts;
    }

    /// <summary>The MTP layers stand behind the last decoder layer: two norms, a projection of two hidden states, a whole layer.</summary>
    /// <param name="ownEmbedding">The published file repeats embedding and head in the MTP layer (DeepSeek-V3); they are the same matrices as those of the trunk.</param>
    public static void WriteNextToken(ArchitectureContext context, DecoderFacts facts, DecoderStyle style, bool ownEmbedding)
    {
        var count = context.Config.Count("num_nextn_predict_layers", 0);
        var builder = context.Builder;
        for (var index = facts.Layers; index < facts.Layers + count; index++)
        {
            var prefix = $"{context.Trunk()}layers.{index}.";
            builder.AllAs(TensorRole.NextToken);
            if (ownEmbedding)
                builder.Tensor(prefix + "embed_tokens.weight", TensorRole.Embedding, facts.Vocabulary, facts.Hidden);
            builder.Norm(prefix + "enorm", facts.Hidden);
            builder.Norm(prefix + "hnorm", facts.Hidden);
            builder.Linear(prefix + "eh_proj", facts.Hidden, 2L * facts.Hidden, TensorRole.Other);
            Decoder.WriteTensors(new(builder, facts, style, index, prefix));
            builder.Norm(prefix + "shared_head.norm", facts.Hidden);
            if (ownEmbedding)
                builder.Linear(prefix + "shared_head.head", facts.Vocabulary, facts.Hidden, TensorRole.OutputHead);
            builder.AllAs(null);
        }
    }

    public static AttentionShape Attention(DecoderLayer layer, LatentSizes sizes)
    {
        var (builder, hidden, heads) = (layer.Builder, (long)layer.Facts.Hidden, (long)layer.Facts.Heads);
        var folder = layer.Prefix + layer.Style.AttentionFolder;
        var bias = layer.Style.Attention.InputBias;
        if (sizes.QueryRank is { } rank)
        {
            builder.Linear(folder + "q_a_proj", rank, hidden, TensorRole.Attention, bias);
            builder.Norm(folder + "q_a_layernorm", rank);
            builder.Linear(folder + "q_b_proj", heads * sizes.QueryKeyDim, rank, TensorRole.Attention);
        }
        else
        {
            builder.Linear(folder + "q_proj", heads * sizes.QueryKeyDim, hidden, TensorRole.Attention);
        }
        builder.Linear(folder + "kv_a_proj_with_mqa", sizes.KeyValueRank + sizes.RopeDim, hidden, TensorRole.Attention, bias);
        builder.Norm(folder + "kv_a_layernorm", sizes.KeyValueRank);
        builder.Linear(folder + "kv_b_proj", heads * (sizes.NopeDim + sizes.ValueDim), sizes.KeyValueRank, TensorRole.Attention);
        builder.Linear(folder + "o_proj", hidden, heads * sizes.ValueDim, TensorRole.Attention, layer.Style.Attention.OutputBias);
        return new()
        {
            Heads = layer.Facts.Heads,
            KeyValueHeads = layer.Facts.Heads,
            KeyHeadDim = sizes.QueryKeyDim,
            ValueHeadDim = sizes.ValueDim,
            Latent = new(sizes.KeyValueRank, sizes.RopeDim, sizes.QueryRank),
        };
    }

    private static void Indexer(DecoderLayer layer, ConfigReader config, LatentSizes sizes)
    {
        var (builder, hidden) = (layer.Builder, (long)layer.Facts.Hidden);
        var folder = layer.Prefix + layer.Style.AttentionFolder + "indexer.";
        long heads = config.Count("index_n_heads"), dim = config.Width("index_head_dim");
        builder.Linear(folder + "wq_b", heads * dim, sizes.QueryRank ?? throw config.Missing("q_lora_rank"), TensorRole.Attention);
        builder.Linear(folder + "wk", dim, hidden, TensorRole.Attention);
        builder.Norm(folder + "k_norm", dim, bias: true);
        builder.Linear(folder + "weights_proj", heads, hidden, TensorRole.Attention);
    }

    /// <summary>The first layers are dense; from then on every <c>moe_layer_freq</c>-th has experts.</summary>
    public static Func<DecoderLayer, FeedForwardShape?> FeedForward(ConfigReader config, ExpertStyle style)
    {
        var count = config.TryCount("n_routed_experts", "num_experts") ?? 0;
        if (count == 0)
            return layer => Decoder.Dense(layer, layer.Facts.FeedForward);
        var width = config.Width("moe_intermediate_size");
        var shared = config.TryCount("n_shared_experts", "num_shared_experts") ?? 0;
        var experts = new ExpertShape(count, config.Count("num_experts_per_tok", "num_experts_per_token"), width, checked(shared * width));
        var first = config.Count("first_k_dense_replace", 0);
        var step = config.Root.TryGetProperty("moe_layer_freq", out var list) && list.ValueKind == System.Text.Json.JsonValueKind.Array
            ? 1
            : Math.Max(1, config.Count("moe_layer_freq", 1));
        return layer => layer.Index >= first && layer.Index % step == 0
            ? Decoder.Experts(layer, style, experts)
            : Decoder.Dense(layer, layer.Facts.FeedForward);
    }
}

/// <summary>The dimensions of multi-head latent attention.</summary>
internal sealed record LatentSizes(int? QueryRank, int KeyValueRank, int NopeDim, int RopeDim, int ValueDim)
{
    public LatentSizes(ConfigReader config)
        : this(config.TryWidth("q_lora_rank"), config.Width("kv_lora_rank"), config.Width("qk_nope_head_dim"), config.Width("qk_rope_head_dim"), config.Width("v_head_dim"))
    {
    }

    public int QueryKeyDim => NopeDim + RopeDim;
}

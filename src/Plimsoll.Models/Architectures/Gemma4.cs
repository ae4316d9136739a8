using Plimsoll.Models.Configuration;

namespace Plimsoll.Models.Architectures;

/// <summary>Gemma 4: two kinds of attention with their own head dimension, layers that read the keys and values of earlier ones, embeddings per layer, experts beside the dense part.</summary>
/// <remarks>Follows the transformers implementation (models/gemma4), which also gives the defaults.</remarks>
internal static class Gemma4
{
    public static DecoderFacts Write(ArchitectureContext context)
    {
        var config = context.Config;
        var facts = new DecoderFacts
        {
            Hidden = config.Width("hidden_size", 2304),
            Layers = config.Count("num_hidden_layers", 30),
            Heads = config.Count("num_attention_heads", 8),
            KeyValueHeads = config.Count("num_key_value_heads", 4),
            HeadDim = config.Width("head_dim", 256),
            FeedForward = config.Width("intermediate_size", 9216),
            Vocabulary = config.Width("vocab_size", 262144),
            MaxContext = config.TryTokens("max_position_embeddings") ?? 131072,
            Tied = config.Flag("tie_word_embeddings", true),
        };
        var sizes = new Sizes(config, facts);
        var embedding = config.Width("hidden_size_per_layer_input", 256);
        if (sizes.FirstShared < facts.Layers)
            context.Builder.Note($"The last {facts.Layers - sizes.FirstShared} layers read the keys and values of earlier ones; projections that the published file may hold for them are dropped on load and not counted.");
        if (embedding > 0)
            WritePerLayerEmbedding(context, facts, embedding);
        return context.Write(facts, new()
        {
            Attention = new() { InputBias = config.Flag("attention_bias", false), OutputBias = config.Flag("attention_bias", false) },
            LayerNorms = ["input_layernorm", "post_attention_layernorm", "pre_feedforward_layernorm", "post_feedforward_layernorm"],
            Mixer = layer => new(Attention(layer, sizes)),
            LayerFeedForward = layer => FeedForward(layer, sizes, embedding),
        });
    }

    private static void WritePerLayerEmbedding(ArchitectureContext context, DecoderFacts facts, int width)
    {
        var (builder, trunk) = (context.Builder, context.Trunk());
        var packed = (long)facts.Layers * width;
        builder.Tensor(trunk + "embed_tokens_per_layer.weight", TensorRole.Embedding, context.Config.Width("vocab_size_per_layer_input", 262144), packed);
        builder.Linear(trunk + "per_layer_model_projection", packed, facts.Hidden, TensorRole.Other);
        builder.Norm(trunk + "per_layer_projection_norm", width);
    }

    private static AttentionShape Attention(DecoderLayer layer, Sizes sizes)
    {
        var (builder, facts, style) = (layer.Builder, layer.Facts, layer.Style.Attention);
        var slides = sizes.Slides(layer.Index);
        var keysAreValues = sizes.KeysAreValues && !slides;
        var headDim = slides ? facts.HeadDim : sizes.GlobalHeadDim;
        var keyValueHeads = keysAreValues ? sizes.GlobalKeyValueHeads : facts.KeyValueHeads;
        var shares = layer.Index >= sizes.FirstShared;
        var folder = layer.Prefix + "self_attn.";
        long query = (long)facts.Heads * headDim, keyValue = (long)keyValueHeads * headDim;
        builder.Linear(folder + "q_proj", query, facts.Hidden, TensorRole.Attention, style.InputBias);
        builder.Norm(folder + "q_norm", headDim);
        if (!shares)
        {
            builder.Linear(folder + "k_proj", keyValue, facts.Hidden, TensorRole.Attention, style.InputBias);
            if (!keysAreValues)
                builder.Linear(folder + "v_proj", keyValue, facts.Hidden, TensorRole.Attention, style.InputBias);
            builder.Norm(folder + "k_norm", headDim);
        }
        builder.Linear(folder + "o_proj", facts.Hidden, query, TensorRole.Attention, style.OutputBias);
        return new()
        {
            Heads = facts.Heads,
            KeyValueHeads = keyValueHeads,
            KeyHeadDim = headDim,
            ValueHeadDim = headDim,
            Window = slides ? sizes.Window : null,
            SharesKeyValues = shares,
        };
    }

    private static FeedForwardShape FeedForward(DecoderLayer layer, Sizes sizes, int perLayerInput)
    {
        var (builder, hidden, prefix) = (layer.Builder, layer.Facts.Hidden, layer.Prefix);
        var width = layer.Facts.FeedForward * (sizes.DoubleWide && layer.Index >= sizes.FirstShared ? 2 : 1);
        var dense = Decoder.Dense(layer, width);
        builder.Tensor(prefix + "layer_scalar", TensorRole.Other, 1);
        if (perLayerInput > 0)
        {
            builder.Linear(prefix + "per_layer_input_gate", perLayerInput, hidden, TensorRole.FeedForward);
            builder.Linear(prefix + "per_layer_projection", hidden, perLayerInput, TensorRole.FeedForward);
            builder.Norm(prefix + "post_per_layer_input_norm", hidden);
        }
        if (sizes.Experts is not { } experts)
            return dense;
        builder.Linear(prefix + "router.proj", experts.Count, hidden, TensorRole.Router);
        builder.Tensor(prefix + "router.scale", TensorRole.Router, hidden);
        builder.Tensor(prefix + "router.per_expert_scale", TensorRole.Router, experts.Count);
        builder.ExpertStack(prefix + "experts.gate_up_proj", experts, linear: true, 2L * experts.Width, hidden);
        builder.ExpertStack(prefix + "experts.down_proj", experts, linear: true, hidden, experts.Width);
        builder.Norm(prefix + "post_feedforward_layernorm_1", hidden);
        builder.Norm(prefix + "post_feedforward_layernorm_2", hidden);
        builder.Norm(prefix + "pre_feedforward_layernorm_2", hidden);
        return dense with { Experts = experts };
    }

    private sealed class Sizes
    {
        private readonly System.Collections.Immutable.ImmutableArray<string>? types;
        private readonly int layers;

        public Sizes(ConfigReader config, DecoderFacts facts)
        {
            layers = facts.Layers;
            types = config.Texts("layer_types", facts.Layers);
            Window = config.TryTokens("sliding_window") ?? 512;
            GlobalHeadDim = config.Width("global_head_dim", 512);
            KeysAreValues = config.Flag("attention_k_eq_v", false);
            GlobalKeyValueHeads = config.Count("num_global_key_value_heads", facts.KeyValueHeads);
            FirstShared = facts.Layers - config.Count("num_kv_shared_layers", 0);
            DoubleWide = config.Flag("use_double_wide_mlp", false);
            if (config.Flag("enable_moe_block", false))
                Experts = new(config.Count("num_experts"), config.Count("top_k_experts"), config.Width("moe_intermediate_size"), SharedWidth: 0);
        }

        public int Window { get; }

        public int GlobalHeadDim { get; }

        public bool KeysAreValues { get; }

        public int GlobalKeyValueHeads { get; }

        /// <summary>The first layer that reads the keys and values of an earlier one.</summary>
        public int FirstShared { get; }

        public bool DoubleWide { get; }

        public ExpertShape? Experts { get; }

        /// <summary>Five sliding layers, then one over the whole context; the last is always one of those.</summary>
        public bool Slides(int layer) => layer != layers - 1 && (types is { } list ? list[layer] == "sliding_attention" : (layer + 1) % 6 != 0);
    }
}

using Plimsoll.Models.Configuration;

namespace Plimsoll.Models.Architectures;

/// <summary>Jamba, Bamba, Falcon-H1 and Nemotron-H: Mamba with a little attention.</summary>
internal static class MambaHybrids
{
    private static readonly DecoderStyle BeforeFeedForward = new()
    {
        FeedForwardFolder = "feed_forward.",
        LayerNorms = ["input_layernorm", "pre_ff_layernorm"],
        FinalNorm = "final_layernorm",
    };

    /// <summary>Jamba: Mamba-1, attention every <c>attn_layer_period</c> layers, experts every <c>expert_layer_period</c>.</summary>
    public static DecoderFacts WriteJamba(ArchitectureContext context)
    {
        var config = context.Config;
        var facts = context.Facts();
        var sizes = Mamba1Sizes.Read(config, facts.Hidden, "mamba_expand", "mamba_d_state", "mamba_d_conv", "mamba_dt_rank");
        var bias = MambaBias.Read(config, "mamba_proj_bias", "mamba_conv_bias");
        var (attentionPeriod, attentionOffset) = (Math.Max(1, config.Count("attn_layer_period", 8)), config.Count("attn_layer_offset", 4));
        var (expertPeriod, expertOffset) = (Math.Max(1, config.Count("expert_layer_period", 2)), config.Count("expert_layer_offset", 1));
        var experts = new ExpertShape(config.Count("num_experts", 16), config.Count("num_experts_per_tok", 2), facts.FeedForward, SharedWidth: 0);
        var style = new ExpertStyle { Router = "feed_forward.router", Experts = "feed_forward.experts.*." };
        return context.Write(facts, BeforeFeedForward with
        {
            Mixer = layer => layer.Index % attentionPeriod == attentionOffset
                ? new(Decoder.Attention(layer))
                : new(null, Mamba.WriteMamba1(layer.Builder, layer.Prefix + "mamba.", sizes, facts.Hidden, bias, norms: true)),
            LayerFeedForward = layer => experts.Count > 1 && layer.Index % expertPeriod == expertOffset
                ? Decoder.Experts(layer, style, experts)
                : Decoder.Dense(layer, facts.FeedForward),
        });
    }

    /// <summary>Bamba: Mamba-2, attention in the layers of <c>attn_layer_indices</c>.</summary>
    public static DecoderFacts WriteBamba(ArchitectureContext context)
    {
        var config = context.Config;
        var facts = context.Facts();
        var attention = config.Integers("attn_layer_indices") ?? throw config.Missing("attn_layer_indices");
        var sizes = Mamba2Sizes.Read(config, "mamba_n_heads", "mamba_d_head", "mamba_n_groups", "mamba_d_state", "mamba_d_conv");
        var bias = MambaBias.Read(config, "mamba_proj_bias", "mamba_conv_bias");
        return context.Write(facts, BeforeFeedForward with
        {
            Mixer = layer => attention.Contains(layer.Index)
                ? new(Decoder.Attention(layer))
                : new(null, Mamba.WriteMamba2(layer.Builder, layer.Prefix + "mamba.", sizes, facts.Hidden, bias, gatedNorm: true)),
        });
    }

    /// <summary>Falcon-H1: attention and Mamba-2 side by side in every layer.</summary>
    public static DecoderFacts WriteFalconH1(ArchitectureContext context)
    {
        var config = context.Config;
        var facts = context.Facts();
        var heads = config.Count("mamba_n_heads");
        var inner = config.TryWidth("mamba_d_ssm") ?? checked(config.Count("mamba_expand", 2) * facts.Hidden);
        var headDim = config.TryWidth("mamba_d_head") ?? inner / Math.Max(1, heads);
        if ((long)headDim * heads != inner)
            throw config.Wrong("mamba_d_head", $"{inner} / {heads} (mamba_d_ssm over mamba_n_heads)", headDim.ToString());
        var sizes = new Mamba2Sizes(heads, headDim, config.Count("mamba_n_groups", 1), config.Width("mamba_d_state", 256), config.Count("mamba_d_conv", 4));
        var bias = MambaBias.Read(config, "mamba_proj_bias", "mamba_conv_bias");
        var attentionBias = config.Flag("attention_bias", false);
        return context.Write(facts, BeforeFeedForward with
        {
            Attention = new() { InputBias = attentionBias, OutputBias = attentionBias },
            FeedForward = new() { Bias = config.Flag("mlp_bias", false), DownBias = config.Flag("mlp_bias", false) },
            Mixer = layer => new(
                Decoder.Attention(layer),
                Mamba.WriteMamba2(layer.Builder, layer.Prefix + "mamba.", sizes, facts.Hidden, bias, config.Flag("mamba_rms_norm", false))),
        });
    }

    /// <summary>Nemotron-H: each block is one thing only: Mamba-2 (M), attention (*), feed-forward (-) or experts (E), as <c>hybrid_override_pattern</c> says.</summary>
    public static DecoderFacts WriteNemotronH(ArchitectureContext context)
    {
        var config = context.Config;
        var pattern = ReadPattern(config);
        var facts = DecoderFacts.Read(config, layers: pattern.Length);
        if (config.TryCount("num_hidden_layers") is { } stated && stated != pattern.Length)
            throw config.Wrong("num_hidden_layers", $"{pattern.Length}, the length of the block pattern", stated.ToString());
        var sizes = Mamba2Sizes.Read(config, "mamba_num_heads", "mamba_head_dim", "n_groups", "ssm_state_size", "conv_kernel");
        var bias = MambaBias.Read(config, "use_bias", "use_conv_bias");
        var attentionBias = config.Flag("attention_bias", false);
        var experts = pattern.Contains('E') ? ReadExperts(config) : null;
        if (config.Count("num_nextn_predict_layers", 0) > 0)
            context.Builder.Note("The next-token (MTP) layers of this architecture are not counted.", Confidence.Medium);
        return context.Write(facts, new()
        {
            Embedding = "embeddings",
            FinalNorm = "norm_f",
            LayerNorms = ["norm"],
            AttentionFolder = "mixer.",
            Attention = new() { InputBias = attentionBias, OutputBias = attentionBias },
            FeedForwardFolder = "mixer.",
            FeedForward = FeedForwardStyle.Plain("up_proj", "down_proj", config.Flag("mlp_bias", false)),
            Mixer = layer => pattern[layer.Index] switch
            {
                'M' => new(null, Mamba.WriteMamba2(layer.Builder, layer.Prefix + "mixer.", sizes, facts.Hidden, bias, gatedNorm: true)),
                '*' => new(Decoder.Attention(layer)),
                _ => default,
            },
            LayerFeedForward = layer => pattern[layer.Index] switch
            {
                '-' => Decoder.Dense(layer, facts.FeedForward),
                'E' => NemotronExperts(layer, experts!, config.TryWidth("moe_latent_size")),
                _ => null,
            },
        }, "backbone.");
    }

    /// <summary>One letter per block, from <c>hybrid_override_pattern</c> or the newer list of words <c>layers_block_type</c>; empty when neither is there.</summary>
    private static string ReadPattern(ConfigReader config)
    {
        if (config.Text("hybrid_override_pattern") is { } pattern)
        {
            return pattern.Length <= ConfigReader.MaxCount && pattern.All(letter => letter is 'M' or '*' or '-' or 'E')
                ? pattern
                : throw config.Wrong("hybrid_override_pattern", "letters of M, *, - and E", pattern.Length <= 60 ? pattern : $"{pattern.Length} letters");
        }
        var words = config.Texts("layers_block_type") ?? throw config.Missing("hybrid_override_pattern", "layers_block_type");
        return string.Concat(words.Select(word => word switch
        {
            "mamba" => 'M',
            "attention" => '*',
            "mlp" => '-',
            "moe" => 'E',
            _ => throw config.Wrong("layers_block_type", "words of mamba, attention, mlp and moe", word),
        }));
    }

    private static ExpertShape ReadExperts(ConfigReader config) => new(
        config.Count("n_routed_experts"),
        config.Count("num_experts_per_tok"),
        config.Width("moe_intermediate_size"),
        config.Count("n_shared_experts", 0) > 0 ? config.Width("moe_shared_expert_intermediate_size") : 0);

    /// <summary>Experts without gate. With a latent size the routed experts work on a projection of the hidden state.</summary>
    private static FeedForwardShape NemotronExperts(DecoderLayer layer, ExpertShape experts, int? latent)
    {
        var (builder, hidden, folder) = (layer.Builder, (long)layer.Facts.Hidden, layer.Prefix + "mixer.");
        var width = latent ?? hidden;
        builder.Linear(folder + "gate", experts.Count, hidden, TensorRole.Router);
        builder.Tensor(folder + "gate.e_score_correction_bias", TensorRole.Router, experts.Count);
        builder.ExpertLinear(folder + "experts.*.up_proj", experts.Width, width, experts);
        builder.ExpertLinear(folder + "experts.*.down_proj", width, experts.Width, experts);
        if (experts.SharedWidth > 0)
            Decoder.Matrices(builder, folder + "shared_experts.", layer.Style.FeedForward, hidden, experts.SharedWidth, TensorRole.SharedExpert);
        if (latent is { } rank)
        {
            builder.Linear(folder + "fc1_latent_proj", rank, hidden, TensorRole.FeedForward);
            builder.Linear(folder + "fc2_latent_proj", hidden, rank, TensorRole.FeedForward);
        }
        return new(0, Gated: false, experts);
    }
}

using System.Collections.Immutable;
using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.HuggingFace;
using Plimsoll.Models;

namespace Plimsoll.Runtime.Settings;

/// <summary>The settings that a <c>config.json</c> states, with the defaults of transformers' configuration classes.</summary>
internal static class ConfigSettings
{
    /// <exception cref="UnknownArchitectureException">The architecture cannot be run.</exception>
    /// <exception cref="CheckpointFormatException">A value is missing or impossible.</exception>
    public static TransformerSettings Read(ModelConfig config, ModelShape shape, Family family) => new()
    {
        Architecture = shape.Architecture,
        HiddenSize = shape.HiddenSize,
        VocabularySize = shape.VocabularySize,
        MaxContext = shape.MaxContext,
        Layers = [.. Enumerable.Range(0, shape.Layers.Length).Select(index => ReadLayer(config, shape, family, index))],
        Norm = family.Norm,
        NormEpsilon = (float)(config.Number("rms_norm_eps", "layer_norm_eps", "layer_norm_epsilon", "norm_eps") ?? (family.Norm == NormKind.LayerNorm ? 1e-5 : 1e-6)),
        NormPlacement = family.NormPlacement,
        Residual = ReadResidual(config, shape),
        Activation = ReadActivation(config),
        Gated = family.Gated,
        QueryKeyNorm = shape.Architecture == "stablelm" && config.Boolean("qk_layernorm") == true ? QueryKeyNorm.PerHead : family.QueryKeyNorm,
        LearnedPositions = family.LearnedPositions,
        EmbeddingScale = family.ScalesEmbeddings ? MathF.Sqrt(shape.HiddenSize) : (float)(config.Number("embedding_multiplier") ?? 1),
        ResidualScale = (float)(config.Number("residual_multiplier") ?? 1),
        LogitScale = (float)(1 / (config.Number("logits_scaling") ?? 1)),
        ScoreSoftCap = (float?)config.Number("attn_logit_softcapping"),
        LogitSoftCap = (float?)config.Number("final_logit_softcapping"),
    };

    private static LayerSettings ReadLayer(ModelConfig config, ModelShape shape, Family family, int index)
    {
        if (shape.Layers[index] is not { Attention: { Latent: null } attention, FeedForward: { } feedForward, Recurrent: null })
            throw new UnknownArchitectureException(shape.Architecture, $"layer {index} is more than attention and a feed-forward part, and cannot be run", null);
        var divisor = config.Number("query_pre_attn_scalar") ?? attention.KeyHeadDim;
        return new()
        {
            Heads = attention.Heads,
            KeyValueHeads = attention.KeyValueHeads,
            HeadDim = attention.KeyHeadDim,
            ScoreScale = (float)(config.Number("attention_multiplier") ?? 1 / Math.Sqrt(divisor)),
            Window = attention.Window,
            Rope = ReadRope(config, shape, family, index, attention),
            FeedForward = feedForward.Experts?.Width ?? feedForward.Width,
            Experts = feedForward.Experts is { } experts
                ? new(experts.Count, experts.UsedPerToken, Normalized: shape.Architecture == "mixtral" || (config.Boolean("norm_topk_prob") ?? false))
                : null,
        };
    }

    private static RopeSettings? ReadRope(ModelConfig config, ModelShape shape, Family family, int index, AttentionShape attention)
    {
        if (family.LearnedPositions || !Rotates(config, family, index))
            return null;
        var windowed = attention.Window is not null;
        var theta = config.Number("rope_theta", "rotary_emb_base") ?? (family == Families.OfConfig("gemma3_text") ? 1_000_000 : 10_000);
        // transformers 5 gathers all of it in rope_parameters, by layer type where layers differ.
        var parameters = config.Object("rope_parameters");
        parameters = parameters?.Object(windowed ? "sliding_attention" : "full_attention") ?? parameters;
        theta = parameters?.Number("rope_theta") ?? theta;
        if (windowed && family.WindowTheta is { } windowTheta)
            theta = config.Object("rope_parameters")?.Object("sliding_attention")?.Number("rope_theta") ?? config.Number("rope_local_base_freq") ?? windowTheta;
        var share = config.Number("partial_rotary_factor", "rotary_pct", "rope_pct") ?? parameters?.Number("partial_rotary_factor") ?? DefaultShare(shape);
        var dimensions = (int)(share * attention.KeyHeadDim);
        var scaling = windowed && family.WindowUnscaled ? RopeScaling.None : ReadScaling(config, parameters ?? config.Object("rope_scaling"), shape, dimensions / 2);
        return new(RopePairing.Halves, dimensions, theta, scaling);
    }

    /// <summary>What GPTNeoXConfig and StableLmConfig assume.</summary>
    private static double DefaultShare(ModelShape shape) => shape.Architecture is "gpt_neox" or "stablelm" ? 0.25 : 1;

    private static bool Rotates(ModelConfig config, Family family, int index)
    {
        if (family.UnrotatedPeriod == 0)
            return true;
        if (config.Integers("no_rope_layers") is { } listed && index < listed.Length)
            return listed[index] != 0;
        var period = (int)(config.Integer("no_rope_layer_interval") ?? family.UnrotatedPeriod);
        return period == 0 || (index + 1) % period != 0;
    }

    private static RopeScaling ReadScaling(ModelConfig config, ModelConfig? scaling, ModelShape shape, int pairs)
    {
        var type = scaling?.String("rope_type", "type");
        if (scaling is null || type is null or "default")
            return RopeScaling.None;
        var stretched = (int)(config.Integer("max_position_embeddings") ?? shape.MaxContext ?? 0);
        var original = (int)(scaling.Integer("original_max_position_embeddings") ?? config.Integer("original_max_position_embeddings") ?? stretched);
        return type switch
        {
            "linear" => new LinearRope(Factor(scaling)),
            "llama3" => new Llama3Rope(Factor(scaling), scaling.Number("low_freq_factor") ?? 1, scaling.Number("high_freq_factor") ?? 4, original),
            "yarn" => new YarnRope(Factor(scaling), original, scaling.Number("beta_fast") ?? 32, scaling.Number("beta_slow") ?? 1, scaling.Number("attention_factor")),
            "longrope" or "su" => ReadLongRope(scaling, (double)stretched / original, original, pairs),
            _ => throw new CheckpointFormatException(config.Path, null, "a rope_type of default, linear, llama3, yarn or longrope", type),
        };
    }

    private static LongRope ReadLongRope(ModelConfig scaling, double stretch, int original, int pairs)
    {
        var magnitude = scaling.Number("attention_factor") ?? (stretch <= 1 ? 1 : Math.Sqrt(1 + Math.Log(stretch) / Math.Log(original)));
        return new(Factors("short_factor"), Factors("long_factor"), original, magnitude);

        ImmutableArray<float> Factors(string key) => scaling.Numbers(key) is { } numbers && numbers.Length == pairs
            ? [.. numbers.Select(number => (float)number)]
            : throw new CheckpointFormatException(scaling.Path, null, $"{key} to be {pairs} numbers, one per rotated pair", $"{scaling.Numbers(key)?.Length ?? 0} numbers");
    }

    private static double Factor(ModelConfig scaling) =>
        scaling.Number("factor") is { } factor && factor > 0 ? factor : throw new CheckpointFormatException(scaling.Path, null, "a positive factor in rope_scaling", "none");

    private static Residual ReadResidual(ModelConfig config, ModelShape shape) => shape.Architecture switch
    {
        "gpt_neox" => config.Boolean("use_parallel_residual") ?? true ? Residual.Parallel : Residual.Sequential,
        "stablelm" => config.Boolean("use_parallel_residual") ?? false ? Residual.ParallelSharedNorm : Residual.Sequential,
        _ => Residual.Sequential,
    };

    private static Activation ReadActivation(ModelConfig config)
    {
        // Gemma's first configurations say "gelu" and mean its tanh form, which hidden_activation corrects.
        var name = config.String("hidden_activation") ?? config.String("hidden_act", "activation_function") ?? "silu";
        return (config.String("model_type"), name) switch
        {
            ("gemma", "gelu") => Activation.GeluTanh,
            (_, "silu" or "swish") => Activation.Silu,
            (_, "gelu_new" or "gelu_pytorch_tanh" or "gelu_fast") => Activation.GeluTanh,
            (_, "gelu") => Activation.Gelu,
            _ => throw new CheckpointFormatException(config.Path, null, "an activation of silu, gelu, gelu_new or gelu_pytorch_tanh", name),
        };
    }
}

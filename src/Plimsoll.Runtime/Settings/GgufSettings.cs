using System.Collections.Immutable;
using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.Data;
using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Models;

namespace Plimsoll.Runtime.Settings;

/// <summary>The settings that the keys of a GGUF file state, completed by what llama.cpp v0.5.0 has in code (<c>src/models</c>).</summary>
internal static class GgufSettings
{
    /// <param name="weights">For the factors of rotations, which are tensors here.</param>
    /// <exception cref="UnknownArchitectureException">The architecture cannot be run.</exception>
    /// <exception cref="CheckpointFormatException">A key is missing or impossible.</exception>
    public static TransformerSettings Read(GgufMetadata metadata, ModelShape shape, Family family, WeightReader weights)
    {
        var keys = new Keys(metadata, shape.Architecture);
        var layers = ImmutableArray.CreateBuilder<LayerSettings>(shape.Layers.Length);
        for (var index = 0; index < shape.Layers.Length; index++)
            layers.Add(ReadLayer(keys, shape, family, weights, index));
        return new()
        {
            Architecture = shape.Architecture,
            HiddenSize = shape.HiddenSize,
            VocabularySize = shape.VocabularySize,
            MaxContext = shape.MaxContext,
            Layers = layers.MoveToImmutable(),
            Norm = family.Norm,
            NormEpsilon = (float)keys.Require(family.Norm == NormKind.LayerNorm ? "attention.layer_norm_epsilon" : "attention.layer_norm_rms_epsilon"),
            NormPlacement = family.NormPlacement,
            Residual = ReadResidual(keys, shape, weights),
            Activation = family.Activation,
            Gated = family.Gated,
            QueryKeyNorm = ReadQueryKeyNorm(family, weights),
            LearnedPositions = family.LearnedPositions,
            EmbeddingScale = family.ScalesEmbeddings ? MathF.Sqrt(shape.HiddenSize) : Scale(keys, "embedding_scale"),
            ResidualScale = Scale(keys, "residual_scale"),
            LogitScale = 1 / Scale(keys, "logit_scale"),
            ScoreSoftCap = SoftCap(keys, "attn_logit_softcapping", shape.Architecture == "gemma2" ? 50 : null),
            LogitSoftCap = SoftCap(keys, "final_logit_softcapping", shape.Architecture == "gemma2" ? 30 : null),
        };
    }

    private static LayerSettings ReadLayer(Keys keys, ModelShape shape, Family family, WeightReader weights, int index)
    {
        var layer = shape.Layers[index];
        if (layer is not { Attention: { Latent: null } attention, FeedForward: { } feedForward, Recurrent: null } || attention.KeyHeadDim != attention.ValueHeadDim)
            throw new UnknownArchitectureException(shape.Architecture, $"layer {index} is more than attention and a feed-forward part, and cannot be run", null);
        return new()
        {
            Heads = attention.Heads,
            KeyValueHeads = attention.KeyValueHeads,
            HeadDim = attention.KeyHeadDim,
            ScoreScale = (float)(keys.Positive("attention.scale") ?? 1 / Math.Sqrt(ScoreDivisor(shape, attention))),
            Window = attention.Window,
            Rope = ReadRope(keys, shape, family, weights, index, attention),
            FeedForward = feedForward.Experts?.Width ?? feedForward.Width,
            Experts = feedForward.Experts is { } experts ? new(experts.Count, experts.UsedPerToken, Normalized: true) : null,
        };
    }

    /// <summary>The head dimension, but for the 27B models of Gemma 2 (46 layers) and 3 (62 layers), which divide by hidden / heads.</summary>
    private static int ScoreDivisor(ModelShape shape, AttentionShape attention) =>
        (shape.Architecture, shape.Layers.Length) is ("gemma2", 46) or ("gemma3", 62) ? shape.HiddenSize / attention.Heads : attention.KeyHeadDim;

    private static RopeSettings? ReadRope(Keys keys, ModelShape shape, Family family, WeightReader weights, int index, AttentionShape attention)
    {
        if (family.LearnedPositions || (family.UnrotatedPeriod > 0 && (index + 1) % family.UnrotatedPeriod == 0))
            return null;
        var dimensions = (int)(keys.Positive("rope.dimension_count") ?? attention.KeyHeadDim);
        if (dimensions > attention.KeyHeadDim || dimensions % 2 != 0)
            throw keys.Wrong("rope.dimension_count", $"an even number up to the head dimension {attention.KeyHeadDim}", dimensions.ToString());
        var theta = keys.Positive("rope.freq_base") ?? 10_000;
        var windowed = attention.Window is not null;
        if (windowed && family.WindowTheta is { } windowTheta)
            theta = keys.Positive("rope.freq_base_swa") ?? windowTheta;
        var scaling = windowed && family.WindowUnscaled ? RopeScaling.None : ReadScaling(keys, shape, weights, dimensions / 2);
        return new(family.GgufPairing, dimensions, theta, scaling);
    }

    private static RopeScaling ReadScaling(Keys keys, ModelShape shape, WeightReader weights, int pairs)
    {
        if (ReadFactors(weights, "rope_freqs.weight", pairs) is { } factors)
            return new FactorRope(factors);
        var factor = keys.Positive("rope.scaling.factor") ?? keys.Positive("rope.scale_linear") ?? 1;
        var original = (int)(keys.Positive("rope.scaling.original_context_length") ?? shape.MaxContext ?? 0);
        var magnitude = keys.Positive("rope.scaling.attn_factor") ?? 1;
        if (ReadFactors(weights, "rope_factors_short.weight", pairs) is { } near && ReadFactors(weights, "rope_factors_long.weight", pairs) is { } far)
            return new LongRope(near, far, original, magnitude);
        return keys.Text("rope.scaling.type") switch
        {
            "none" => RopeScaling.None,
            "yarn" => new YarnRope(factor, original, keys.Positive("rope.scaling.yarn_beta_fast") ?? 32, keys.Positive("rope.scaling.yarn_beta_slow") ?? 1,
                magnitude * (0.1 * Math.Log(Math.Max(1, factor)) + 1)),
            null or "linear" => new LinearRope(factor),
            var other => throw keys.Wrong("rope.scaling.type", "none, linear, yarn or longrope with its factors", other),
        };
    }

    private static ImmutableArray<float>? ReadFactors(WeightReader weights, string name, int pairs)
    {
        if (weights.Find(name) is not { } weight)
            return null;
        if (weight.Dimensions is not [var length] || length != pairs)
            throw new CheckpointFormatException(weight.Storage.Main.File, null, $"tensor '{name}' of {pairs}, one factor per pair", string.Join(" x ", weight.Dimensions));
        var factors = new float[pairs];
        weight.ReadRows(0, factors);
        return [.. factors];
    }

    private static Residual ReadResidual(Keys keys, ModelShape shape, WeightReader weights) => shape.Architecture switch
    {
        "gptneox" => keys.Flag("use_parallel_residual") ?? true ? Residual.Parallel : Residual.Sequential,
        "stablelm" when !weights.Parameters.Any(parameter => parameter.Name == "blk.0.ffn_norm.weight") => Residual.ParallelSharedNorm,
        _ => Residual.Sequential,
    };

    private static QueryKeyNorm ReadQueryKeyNorm(Family family, WeightReader weights) =>
        family.QueryKeyNorm == QueryKeyNorm.None && weights.Parameters.Any(parameter => parameter.Name == "blk.0.attn_q_norm.weight") ? QueryKeyNorm.PerHead : family.QueryKeyNorm;

    private static float Scale(Keys keys, string key) => (float)(keys.Positive(key) ?? 1);

    private static float? SoftCap(Keys keys, string key, float? otherwise) => keys.Number(key) is { } number ? number > 0 ? (float)number : null : otherwise;

    /// <summary>The keys of one architecture.</summary>
    private readonly record struct Keys(GgufMetadata Metadata, string Architecture)
    {
        public double? Number(string key) => Metadata.Number($"{Architecture}.{key}");

        /// <summary>The value, where 0 stands for "not stated".</summary>
        public double? Positive(string key) => Number(key) is { } number && number != 0 ? number > 0 && double.IsFinite(number) ? number : throw Wrong(key, "a positive number", FormattableString.Invariant($"{number}")) : null;

        public string? Text(string key) => Metadata.String($"{Architecture}.{key}");

        public bool? Flag(string key) => Metadata.Boolean($"{Architecture}.{key}");

        public double Require(string key) => Positive(key) ?? throw new CheckpointFormatException(Metadata.Path, null, $"the key {Architecture}.{key}", "no such key");

        public CheckpointFormatException Wrong(string key, string expected, string found) => new(Metadata.Path, null, $"{Architecture}.{key} to be {expected}", found);
    }
}

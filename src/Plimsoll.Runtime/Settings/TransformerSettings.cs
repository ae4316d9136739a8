using System.Collections.Immutable;

namespace Plimsoll.Runtime.Settings;

/// <summary>Everything about a decoder that is arithmetic and not weights: what one model computes differently from another, as data.</summary>
public sealed record TransformerSettings
{
    /// <summary>The architecture as the checkpoint names it: <c>llama</c>, <c>qwen3_moe</c>.</summary>
    public required string Architecture { get; init; }

    public required int HiddenSize { get; init; }

    public required int VocabularySize { get; init; }

    /// <summary>The longest sequence the model was made for, in tokens; null when it is not stated.</summary>
    public int? MaxContext { get; init; }

    public required ImmutableArray<LayerSettings> Layers { get; init; }

    public NormKind Norm { get; init; } = NormKind.RootMeanSquare;

    public required float NormEpsilon { get; init; }

    public NormPlacement NormPlacement { get; init; } = NormPlacement.Before;

    public Residual Residual { get; init; } = Residual.Sequential;

    public Activation Activation { get; init; } = Activation.Silu;

    /// <summary>A gate beside the up projection: down(act(gate(x)) · up(x)).</summary>
    public bool Gated { get; init; } = true;

    public QueryKeyNorm QueryKeyNorm { get; init; } = QueryKeyNorm.None;

    /// <summary>A learned vector per position is added to the embedding (GPT-2), in place of rotations.</summary>
    public bool LearnedPositions { get; init; }

    /// <summary>What an embedding is multiplied by.</summary>
    public float EmbeddingScale { get; init; } = 1;

    /// <summary>What the output of attention and of the feed-forward part is multiplied by before it is added to the residual (Granite).</summary>
    public float ResidualScale { get; init; } = 1;

    /// <summary>What logits are multiplied by.</summary>
    public float LogitScale { get; init; } = 1;

    /// <summary>c in c · tanh(score / c) on the scores of attention (Gemma 2); null for none.</summary>
    public float? ScoreSoftCap { get; init; }

    /// <summary>c in c · tanh(logit / c) on the logits (Gemma 2); null for none.</summary>
    public float? LogitSoftCap { get; init; }
}

/// <summary>One layer of a decoder.</summary>
public sealed record LayerSettings
{
    public required int Heads { get; init; }

    public required int KeyValueHeads { get; init; }

    public required int HeadDim { get; init; }

    /// <summary>What scores are multiplied by, usually 1 / sqrt(head_dim).</summary>
    public required float ScoreScale { get; init; }

    /// <summary>A token sees itself and the <c>Window - 1</c> before it; null for all.</summary>
    public int? Window { get; init; }

    /// <summary>How queries and keys are rotated; null where they are not (SmolLM3's every fourth layer).</summary>
    public RopeSettings? Rope { get; init; }

    /// <summary>The width of the dense feed-forward part, or of one expert.</summary>
    public required int FeedForward { get; init; }

    /// <summary>The mixture of experts; null for a dense layer.</summary>
    public ExpertSettings? Experts { get; init; }

    public int QueryWidth => Heads * HeadDim;

    public int KeyValueWidth => KeyValueHeads * HeadDim;
}

/// <param name="Count">Experts of the layer.</param>
/// <param name="Used">Experts that one token visits.</param>
/// <param name="Normalized">The weights of the visited experts are made to sum to one.</param>
public sealed record ExpertSettings(int Count, int Used, bool Normalized);

public enum NormKind
{
    /// <summary>x / sqrt(mean(x²) + ε) · w.</summary>
    RootMeanSquare,

    /// <summary>(x - mean(x)) / sqrt(var(x) + ε) · w + b.</summary>
    LayerNorm,
}

/// <summary>Where attention and feed-forward parts have their norms.</summary>
public enum NormPlacement
{
    Before,

    /// <summary>On the output, before the residual is added (OLMo 2).</summary>
    After,

    /// <summary>Both (Gemma 2, 3).</summary>
    Around,
}

/// <summary>How attention and feed-forward parts follow each other.</summary>
public enum Residual
{
    /// <summary>x += attention(norm(x)); x += feedForward(norm(x)).</summary>
    Sequential,

    /// <summary>x += attention(norm₁(x)) + feedForward(norm₂(x)) (GPT-NeoX).</summary>
    Parallel,

    /// <summary>One norm serves both (StableLM 2 12B).</summary>
    ParallelSharedNorm,
}

public enum Activation
{
    Silu,

    /// <summary>0.5 x (1 + tanh(sqrt(2/π) (x + 0.044715 x³))).</summary>
    GeluTanh,

    /// <summary>0.5 x (1 + erf(x / sqrt 2)).</summary>
    Gelu,
}

/// <summary>Norms over queries and keys before they are rotated.</summary>
public enum QueryKeyNorm
{
    None,

    /// <summary>Over each head, one weight vector of head_dim for all (Qwen3, Gemma 3).</summary>
    SharedByHeads,

    /// <summary>Over each head with weights of its own, (heads, head_dim) (StableLM 2 12B).</summary>
    PerHead,

    /// <summary>Over the whole projection (OLMo 2).</summary>
    WholeProjection,
}

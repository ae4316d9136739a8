namespace Plimsoll.Quantization.Tests.Gguf;

/// <summary>In what the architectures of the transformers library differ, for <see cref="ReferenceModel"/>. The defaults are those of Llama.</summary>
internal sealed record ReferenceStyle
{
    public string Trunk { get; init; } = "model.";

    public string Embedding { get; init; } = "embed_tokens";

    public string Layers { get; init; } = "layers.";

    public string FinalNorm { get; init; } = "norm";

    /// <summary>Null for a tied head.</summary>
    public string? Head { get; init; } = "lm_head";

    public string? Positions { get; init; }

    public int HeadDim { get; init; } = 64;

    public double Theta { get; init; } = 10000;

    /// <summary>Elements of a head that are rotated; null for all.</summary>
    public int? Rotated { get; init; }

    public bool RotatesNeighbours { get; init; }

    /// <summary>What scaling divides the frequency of each pair by; null for nothing.</summary>
    public Func<int, double>? FrequencyDivisor { get; init; }

    /// <summary>What rotated queries and keys are multiplied by.</summary>
    public double RotationScale { get; init; } = 1;

    public bool LayerNorm { get; init; }

    public double Epsilon { get; init; } = 1e-5;

    public double NormAddend { get; init; }

    public string? NormBefore { get; init; } = "input_layernorm";

    public string? NormBehindAttention { get; init; }

    public string? NormBeforeFeedForward { get; init; } = "post_attention_layernorm";

    public string? NormBehindFeedForward { get; init; }

    /// <summary>Attention and feed-forward read the same state.</summary>
    public bool Parallel { get; init; }

    public string AttentionFolder { get; init; } = "self_attn.";

    public string Output { get; init; } = "o_proj";

    public string? Fused { get; init; }

    /// <summary>Queries, keys and values out of a fused projection.</summary>
    public Func<double[], (double[], double[], double[])> SplitFused { get; init; } = _ => throw new InvalidOperationException("nothing is fused");

    /// <summary><c>shared</c> by the heads, <c>own</c> for each, or null.</summary>
    public string? HeadNorm { get; init; }

    public bool WholeQueryKeyNorm { get; init; }

    public double? AttentionScale { get; init; }

    public double ScoreCap { get; init; }

    public bool Sinks { get; init; }

    public bool Latent { get; init; }

    public string FeedForwardFolder { get; init; } = "mlp.";

    public string? Gate { get; init; } = "gate_proj";

    public string? FusedGateUp { get; init; }

    public string Up { get; init; } = "up_proj";

    public string Down { get; init; } = "down_proj";

    public Func<double, double> Activation { get; init; } = ReferenceMath.Silu;

    public Func<ReferenceModel, double[], string, double[]>? Experts { get; init; }

    public int FirstExpertLayer { get; init; }

    public double EmbeddingScale { get; init; } = 1;

    public double ResidualScale { get; init; } = 1;

    public double LogitDivisor { get; init; } = 1;

    public double LogitCap { get; init; }

    /// <summary>Matrices are stored (in, out).</summary>
    public bool Transposed { get; init; }
}

namespace Plimsoll.Evaluation;

/// <summary>How well a model predicts a text.</summary>
/// <param name="ScoredTokens">Predictions that were scored.</param>
/// <param name="Perplexity">e^(mean of −ln p of the token that came), with its standard error: the perplexity times that of the mean.</param>
/// <param name="Divergence">How far it is from another model; null when it was compared with none.</param>
public sealed record EvaluationResult(int ScoredTokens, Estimate Perplexity, Divergence? Divergence);

/// <summary>How far the predictions Q of a model are from those P of its base, over the scored tokens.</summary>
/// <remarks>Definitions: llama.cpp v0.5.0, tools/perplexity/perplexity.cpp (kl_divergence).</remarks>
public sealed record Divergence
{
    /// <summary>Mean of KL(P ‖ Q) = Σ p · ln(p / q), in nats.</summary>
    public required Estimate Mean { get; init; }

    public required double Median { get; init; }

    /// <summary>The 99th percentile.</summary>
    public required double Percentile99 { get; init; }

    public required double Max { get; init; }

    /// <summary>The share of predictions whose most probable token is the same.</summary>
    public required Estimate SameTop { get; init; }

    /// <summary>The root of the mean square of q − p of the token that came.</summary>
    public required double RmsProbabilityChange { get; init; }

    /// <summary>Mean of ln(p / q) of the token that came: the logarithm of the ratio of the perplexities, with its standard error over the same tokens.</summary>
    public required Estimate LogPerplexityRatio { get; init; }
}

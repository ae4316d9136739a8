namespace Plimsoll.Runtime.Sampling;

/// <summary>How the next token is chosen from its probabilities. The defaults are those of llama.cpp's <c>llama-cli</c>.</summary>
public sealed record SamplingOptions
{
    /// <summary>Always the most probable token.</summary>
    public static SamplingOptions Greedy { get; } = new() { Temperature = 0 };

    /// <summary>Divides the logits: below 1 the probable become more so, 0 takes the most probable.</summary>
    public double Temperature { get; init; } = 0.8;

    /// <summary>Only that many most probable tokens; 0 for all.</summary>
    public int TopK { get; init; } = 40;

    /// <summary>Only the fewest most probable tokens whose probabilities sum to at least this; 1 for all.</summary>
    public double TopP { get; init; } = 0.95;

    /// <summary>Only tokens at least this times as probable as the most probable; 0 for all.</summary>
    public double MinP { get; init; } = 0.05;

    /// <summary>Tokens that occurred lately become less probable: positive logits are divided by it, others multiplied; 1 for none.</summary>
    public double RepetitionPenalty { get; init; } = 1;

    /// <summary>How many tokens count as lately.</summary>
    public int RepetitionWindow { get; init; } = 64;

    /// <summary>The same seed gives the same choices.</summary>
    public int Seed { get; init; }
}

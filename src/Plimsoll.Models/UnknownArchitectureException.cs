namespace Plimsoll.Models;

/// <summary>The configuration is well-formed, but its tensors or its cache cannot be derived with certainty. Refused rather than guessed.</summary>
public sealed class UnknownArchitectureException : Exception
{
    /// <param name="modelType">The architecture as the configuration spells it.</param>
    /// <param name="reason">Why it is refused; null when the architecture is simply not known.</param>
    /// <param name="nearest">The most similar supported architecture; null when none is similar.</param>
    public UnknownArchitectureException(string modelType, string? reason, string? nearest)
        : base(Describe(modelType, reason, nearest))
    {
        ModelType = modelType;
        Nearest = nearest;
    }

    public string ModelType { get; }

    public string? Nearest { get; }

    private static string Describe(string modelType, string? reason, string? nearest) =>
        $"The architecture '{modelType}' {(reason is null ? "is not known" : $"is refused: {reason}")}"
        + (nearest is null || nearest == modelType ? "" : $"; the nearest known one is '{nearest}'")
        + ". A model that resembles Llama can be planned with low confidence by assuming 'llama'.";
}

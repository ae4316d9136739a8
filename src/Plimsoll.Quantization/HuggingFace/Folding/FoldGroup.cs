using System.Collections.Immutable;

namespace Plimsoll.Quantization.HuggingFace.Folding;

/// <summary>Linear layers with the same inputs, and the parameter before them that can be divided by what their columns are multiplied by: the outputs stay the same.</summary>
/// <param name="Producer">A norm, or a linear layer whose rows become the inputs.</param>
/// <param name="Bias">The bias that is added behind the producer; null for none.</param>
/// <param name="Consumers">The layers, at least one.</param>
internal sealed record FoldGroup(SourceParameter Producer, SourceParameter? Bias, ImmutableArray<SourceParameter> Consumers)
{
    /// <summary>Whether the producer is a norm, a vector.</summary>
    public bool IsNorm { get; init; }

    /// <summary>What is added to the stored weights of the norm before they are used.</summary>
    public float NormOffset { get; init; }

    /// <summary>The producer's row that becomes the first input: behind the gate where gate and up are one matrix.</summary>
    public int FirstRow { get; init; }
}

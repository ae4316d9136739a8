using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.HuggingFace;

namespace Plimsoll.Models;

/// <summary>What the name of a model led to.</summary>
public sealed record LocatedModel
{
    public required ModelShape Shape { get; init; }

    /// <summary>The stored tensors, when there is a checkpoint behind the name; null for the catalog and bare sizes.</summary>
    public Checkpoint? Checkpoint { get; init; }

    /// <summary>The precision of the published weights, as a precision name; null when unknown.</summary>
    public string? StoredPrecision { get; init; }

    /// <summary>How the configuration says that the published weights are quantized; null for plain ones, GGUF files and where it is not known.</summary>
    public QuantizationConfig? Quantization { get; init; }

    public bool IsGguf => Checkpoint?.Gguf is not null;
}

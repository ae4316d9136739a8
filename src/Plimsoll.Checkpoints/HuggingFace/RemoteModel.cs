using System.Collections.Immutable;
using Plimsoll.Checkpoints.Gguf;

namespace Plimsoll.Checkpoints.HuggingFace;

/// <summary>What the hub tells about a model without its weights.</summary>
public sealed record RemoteModel
{
    public required HubReference Reference { get; init; }

    /// <summary>The commit that everything here comes from.</summary>
    public required string Commit { get; init; }

    /// <summary>Every file of the commit; from the cache alone, only those that are in it.</summary>
    public required ImmutableArray<HubFile> Files { get; init; }

    /// <summary>Null where the repository has none, as most GGUF repositories.</summary>
    public ModelConfig? Config { get; init; }

    /// <summary>From <c>config.json</c> or a file of its own; null for plain weights.</summary>
    public QuantizationConfig? Quantization { get; init; }

    /// <summary>Every tensor of the model; null when no header could be read (<see cref="Notes"/> tells why).</summary>
    public ImmutableArray<TensorHeader>? Tensors { get; init; }

    /// <summary>The key-value pairs of the chosen GGUF file.</summary>
    public GgufMetadata? Gguf { get; init; }

    /// <summary>The quantizations that the repository offers as GGUF.</summary>
    public ImmutableArray<GgufChoice> GgufChoices { get; init; } = [];

    /// <summary>The one that <see cref="Gguf"/> describes; null with several choices and no tag.</summary>
    public GgufChoice? GgufChosen { get; init; }

    /// <summary>The hub was not asked, or did not answer.</summary>
    public bool FromCache { get; init; }

    /// <summary>What the user should know.</summary>
    public ImmutableArray<string> Notes { get; init; } = [];

    /// <summary>Several GGUF files and no word on which: the user has to say <c>org/name:TAG</c>.</summary>
    public bool NeedsTag => GgufChosen is null && GgufChoices.Length > 1 && Tensors is null;
}

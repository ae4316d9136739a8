using Plimsoll.Models;

namespace Plimsoll.Planning.Launch;

/// <summary>The model as an engine finds it: where it lies and how its weights are stored there.</summary>
public sealed record LaunchModel
{
    /// <summary>A path, or <c>org/name</c> on the Hugging Face hub; null for a size such as <c>7b</c>, behind which there is no model.</summary>
    public required string? Reference { get; init; }

    /// <summary>The reference is a repository on the hub, not a path.</summary>
    public bool IsOnHub { get; init; }

    /// <summary>The reference is a GGUF file, or a hub repository with the tag of one.</summary>
    public bool IsGguf { get; init; }

    /// <summary>The precision of the stored weights, as a precision name; null when unknown.</summary>
    public string? StoredPrecision { get; init; }

    /// <summary>A model of the catalog, stored on the hub under its own name.</summary>
    public static LaunchModel OnHub(ModelShape shape, string? storedPrecision) => new()
    {
        Reference = shape.Source == "bare size" ? null : shape.Id,
        IsOnHub = true,
        StoredPrecision = storedPrecision,
    };
}

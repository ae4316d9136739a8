using System.Collections.Immutable;

namespace Plimsoll.Quantization.HuggingFace.Layers;

/// <summary>The formats of linear layers by the names that people type.</summary>
internal static class LinearFormats
{
    /// <summary>One of each kind, for help and suggestions.</summary>
    public static ImmutableArray<string> Names { get; } = [];

    public static LinearFormat? Find(string name) => null;
}

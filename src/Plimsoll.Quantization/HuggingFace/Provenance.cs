using System.Collections.Immutable;

namespace Plimsoll.Quantization.HuggingFace;

/// <summary>What <c>__metadata__</c> says about how a file was made, so that it can be made again.</summary>
internal static class Provenance
{
    public static ImmutableSortedDictionary<string, string> Of(SourceLayers source, HuggingFaceRecipe recipe) => ImmutableSortedDictionary<string, string>.Empty
        .Add("plimsoll.version", typeof(Provenance).Assembly.GetName().Version!.ToString(3))
        .Add("plimsoll.recipe", recipe.Precision)
        .Add("plimsoll.source.headers_sha256", SourceFingerprint.Of(source.Checkpoint.Tensors));
}

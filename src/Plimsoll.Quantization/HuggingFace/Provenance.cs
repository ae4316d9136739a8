using System.Collections.Immutable;

namespace Plimsoll.Quantization.HuggingFace;

/// <summary>What <c>__metadata__</c> says about how a file was made, so that it can be made again.</summary>
internal static class Provenance
{
    public static ImmutableSortedDictionary<string, string> Of(SourceLayers source, HuggingFaceRecipe recipe) => ImmutableSortedDictionary<string, string>.Empty
        .Add("quantized_by", recipe.Tool)
        .Add("recipe", recipe.Linear is { } linear ? $"{recipe.Precision} ({linear.Description}, round to nearest)" : recipe.Precision)
        .Add("source", source.Shape.Id)
        .Add("source_headers_sha256", SourceFingerprint.Of(source.Parameters.SelectMany(parameter => parameter.Storage.Parts).Select(part => part.Header)));
}

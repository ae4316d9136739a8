using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Plimsoll.Quantization.HuggingFace;

/// <summary>What <c>__metadata__</c> says about how a file was made, so that it can be made again.</summary>
internal static class Provenance
{
    public static ImmutableSortedDictionary<string, string> Of(SourceLayers source, HuggingFaceRecipe recipe) => ImmutableSortedDictionary<string, string>.Empty
        .Add("quantized_by", recipe.Tool)
        .Add("recipe", recipe.Linear is { } linear ? $"{recipe.Precision} ({linear.Description}, round to nearest)" : recipe.Precision)
        .Add("source", source.Shape.Id)
        .Add("source_headers_sha256", HeadersHash(source));

    /// <summary>A hash of the name, type, shape and size of every tensor: it tells sources apart without reading their weights.</summary>
    private static string HeadersHash(SourceLayers source)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var part in source.Parameters.SelectMany(parameter => parameter.Storage.Parts))
        {
            var header = part.Header;
            hash.AppendData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{header.Name} {header.Format} [{string.Join(',', header.Dimensions)}] {header.Bytes}\n")));
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}

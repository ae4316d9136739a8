using System.Globalization;
using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Numerics.Blocks;

namespace Plimsoll.Quantization.Gguf;

/// <summary>The keys that say how a file was made: llama.cpp's, and our own.</summary>
internal static class ProvenanceKeys
{
    /// <summary><c>GGML_QNT_VERSION</c>: the layouts of the blocks since May 2023.</summary>
    private const uint QuantizationVersion = 2;

    public static void Write(GgufKeyValues keys, Checkpoint source, GgufRecipe recipe)
    {
        keys.UInt32("general.quantization_version", QuantizationVersion);
        keys.UInt32("general.file_type", (uint)recipe.FileType.Id);
        if (recipe.Importance is { } importance)
        {
            keys.Text("quantize.imatrix.file", Path.GetFileName(importance.File));
            if (importance.Dataset is { } dataset)
                keys.Text("quantize.imatrix.dataset", dataset);
            keys.UInt32("quantize.imatrix.entries_count", (uint)importance.Columns.Count);
            if (importance.Chunks is { } chunks)
                keys.UInt32("quantize.imatrix.chunks_count", (uint)chunks);
        }
        keys.Text("plimsoll.version", typeof(ProvenanceKeys).Assembly.GetName().Version!.ToString(3));
        keys.Text("plimsoll.recipe", Describe(recipe));
        keys.Text("plimsoll.source.headers_sha256", SourceFingerprint.Of(source.Tensors));
    }

    /// <summary>The recipe as options of the command line.</summary>
    private static string Describe(GgufRecipe recipe)
    {
        var parts = new List<string> { recipe.Target ?? recipe.FileType.Name };
        if (recipe.Pure)
            parts.Add("--pure");
        if (recipe.OutputType is { } output)
            parts.Add($"--output-tensor-type {output.Name.ToLowerInvariant()}");
        if (recipe.EmbeddingType is { } embedding)
            parts.Add($"--token-embedding-type {embedding.Name.ToLowerInvariant()}");
        parts.AddRange(recipe.Overrides.Select(each => $"--tensor-type {each.Pattern}={each.Type.Name.ToLowerInvariant()}"));
        if (recipe.SplitBytes is { } bytes)
            parts.Add($"--split-size {bytes.ToString(CultureInfo.InvariantCulture)}");
        if (recipe.Search == BlockSearch.Best)
            parts.Add("--search best");
        if (recipe.Importance is not null)
            parts.Add("--imatrix");
        if (recipe.Feedback is not null || recipe.Sequential is not null)
            parts.Add("--method gptq");
        return string.Join(' ', parts);
    }
}

using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Models;
using Plimsoll.Quantization.Gguf;
using Plimsoll.Quantization.HuggingFace;
using Plimsoll.Quantization.Output;

namespace Plimsoll.Quantization;

/// <summary>A format by its name: <c>q4_0</c>, <c>gguf:q4_k_m</c> or <c>ct:w4a16-g128</c>. One of the two members is there.</summary>
/// <param name="Gguf">The types of a GGUF file.</param>
/// <param name="HuggingFace">What the layers of a folder of safetensors become.</param>
public sealed record FormatRecipe(GgufFileType? Gguf, HuggingFaceRecipe? HuggingFace)
{
    /// <summary>Before the names of file types, where a name alone might be taken for another format.</summary>
    public const string GgufPrefix = "gguf:";

    /// <summary>The name in full.</summary>
    public string Name => Gguf is null ? HuggingFace!.Precision : GgufPrefix + Gguf.Name;

    /// <param name="isGgufFile">Whether the output is named like a GGUF file.</param>
    /// <returns>Null where there is no such format.</returns>
    public static FormatRecipe? Find(string text, bool isGgufFile) => FileType(text, isGgufFile) is { } type
        ? new(type, null)
        : HuggingFaceRecipe.Find(text) is { } recipe ? new(null, recipe) : null;

    /// <summary>A file type where the name says GGUF, or where no folder of safetensors has that name, or where the output is a GGUF file.</summary>
    public static GgufFileType? FileType(string text, bool isGgufFile)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.StartsWith(GgufPrefix, StringComparison.Ordinal))
            return GgufFileType.Find(text[GgufPrefix.Length..]);
        return GgufFileType.Find(text) is { } type && (isGgufFile || HuggingFaceRecipe.Find(text) is null) ? type : null;
    }

    /// <summary>The plan of an output without any other choice.</summary>
    /// <param name="output">The file or folder.</param>
    /// <inheritdoc cref="GgufConversion.Plan" path="/exception"/>
    public OutputPlan Plan(LocatedModel model, string output) => Gguf is { } type
        ? GgufConversion.Plan(model, new() { FileName = Path.GetFileName(output), FileType = type })
        : HuggingFaceConversion.Plan(model, HuggingFace!);
}

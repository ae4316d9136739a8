using System.Collections.Immutable;
using Plimsoll.Quantization.Output;

namespace Plimsoll.Quantization.HuggingFace;

/// <summary>The small files of a checkpoint that a conversion takes over unchanged: tokenizer, generation settings, processors, own code, licence.</summary>
public static class SideFiles
{
    private static readonly string[] Names =
    [
        "tokenizer.json", "tokenizer.model", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json", "vocab.txt", "merges.txt",
        "spiece.model", "sentencepiece.bpe.model", "chat_template.jinja", "chat_template.json", "generation_config.json", "preprocessor_config.json",
        "processor_config.json", "image_processor_config.json", "video_preprocessor_config.json", "LICENSE", "LICENSE.txt", "NOTICE", "USE_POLICY.md",
    ];

    /// <summary>Vocabularies and model code by their endings.</summary>
    private static readonly string[] Endings = [".tiktoken", ".py"];

    public static ImmutableArray<SideFile> Of(string folder) =>
    [
        .. Directory.EnumerateFiles(folder).Select(path => (Path: path, Name: Path.GetFileName(path)))
            .Where(file => Names.Contains(file.Name) || Endings.Any(ending => file.Name.EndsWith(ending, StringComparison.Ordinal)))
            .OrderBy(file => file.Name, StringComparer.Ordinal)
            .Select(file => new SideFile(file.Name, null, file.Path)),
    ];
}

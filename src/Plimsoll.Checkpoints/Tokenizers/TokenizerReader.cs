using System.Collections.Immutable;
using Plimsoll.Checkpoints.Bytes;
using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Checkpoints.HuggingFace;
using Plimsoll.Checkpoints.Tokenizers.Vocabularies;

namespace Plimsoll.Checkpoints.Tokenizers;

/// <summary>Finds and describes the tokenizer of a model.</summary>
public static class TokenizerReader
{
    /// <summary><c>tokenizer_config.json</c> holds chat templates and added tokens; the largest have 1 to 3 MB.</summary>
    public const int MaxConfigBytes = 16 << 20;

    private const string ConfigName = "tokenizer_config.json";

    /// <summary>The tokenizer inside a GGUF file; null when it has none.</summary>
    /// <exception cref="CheckpointFormatException">A key has the wrong type.</exception>
    public static TokenizerFacts? FromGguf(GgufMetadata metadata) => GgufTokenizer.Read(metadata);

    /// <summary>The tokenizer in a model's folder: <c>tokenizer.json</c>, else <c>tokenizer.model</c>, else <c>vocab.json</c> and others; null when there is none.</summary>
    /// <param name="config">The model's configuration, which gives ids where the tokenizer's own files give only texts.</param>
    /// <exception cref="CheckpointFormatException">A file is broken.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static TokenizerFacts? FromFolder(string folder, ModelConfig? config = null)
    {
        IReadOnlyDictionary<string, long> added = ImmutableDictionary<string, long>.Empty;
        var facts =
            Existing(folder, "tokenizer.json") is { } json ? TokenizerJson.Read(json, out added)
            : Existing(folder, "tokenizer.model") is { } model ? FromModel(model)
            : Existing(folder, "vocab.json") is { } vocabulary ? VocabularyFiles.ReadJson(vocabulary, Existing(folder, "merges.txt"))
            : Existing(folder, "vocab.txt") is { } wordPieces ? VocabularyFiles.ReadWordPieces(wordPieces)
            : Directory.EnumerateFiles(folder, "*.tiktoken").FirstOrDefault() is { } ranks ? VocabularyFiles.ReadRanks(ranks)
            : null;
        var settings = Existing(folder, ConfigName) ?? Existing(folder, "special_tokens_map.json");
        var described = settings is null ? facts : Describe(facts, ModelConfig.Parse(settings, SmallFile.Read(settings, MaxConfigBytes)), config, added);
        var hasTemplate = Existing(folder, "chat_template.jinja") is not null || Existing(folder, "chat_template.json") is not null;
        return described is not null && hasTemplate ? described with { HasChatTemplate = true } : described;
    }

    /// <summary>Describes a tokenizer of which only <c>tokenizer_config.json</c> is at hand, as of a model on the hub.</summary>
    /// <exception cref="CheckpointFormatException">The text is no such file.</exception>
    public static TokenizerFacts FromConfig(string path, ReadOnlyMemory<byte> json, ModelConfig? config = null) =>
        Describe(null, ModelConfig.Parse(path, json), config, ImmutableDictionary<string, long>.Empty);

    /// <summary>tokenizer.model is a SentencePiece model, or a list of ranks in the style of tiktoken (Llama 3).</summary>
    private static TokenizerFacts FromModel(string path)
    {
        using (var stream = File.OpenRead(path))
        {
            // The first field of a SentencePiece model is a piece: tag 1, length-delimited.
            if (stream.ReadByte() != 0x0A)
                return VocabularyFiles.ReadRanks(path);
        }
        return SentencePieceFacts(SentencePieceFile.Read(path));
    }

    private static TokenizerFacts SentencePieceFacts(Vocabulary vocabulary)
    {
        var special = vocabulary.Special;
        return new()
        {
            Source = Path.GetFileName(vocabulary.Path),
            Kind = vocabulary.Kind == TokenizerKind.Unigram ? "SentencePiece unigram" : "SentencePiece BPE",
            VocabularySize = vocabulary.Count,
            LargestId = vocabulary.Count - 1,
            SpecialTokens = [.. new[] { ("bos", special.Bos), ("eos", special.Eos), ("unk", special.Unknown), ("pad", special.Padding) }
                .Where(row => row.Item2 is not null).Select(row => new SpecialToken(row.Item1, vocabulary.Tokens[row.Item2!.Value], row.Item2))],
        };
    }

    private static TokenizerFacts Describe(TokenizerFacts? facts, ModelConfig settings, ModelConfig? config, IReadOnlyDictionary<string, long> added)
    {
        var decoder = AddedTokens(settings);
        var name = settings.Value("tokenizer_class") is { ValueKind: System.Text.Json.JsonValueKind.String } text ? text.GetString() : null;
        facts ??= new() { Source = Path.GetFileName(settings.Path), Kind = name ?? "unknown" };
        var largest = decoder.Count == 0 ? facts.LargestAddedId : Math.Max(decoder.Values.Max(), facts.LargestAddedId ?? -1);
        var known = facts.VocabularySize is null ? null : facts.VocabularySize + decoder.Values.Distinct().Count(id => id > facts.LargestId && id > (facts.LargestAddedId ?? -1));
        var special = SpecialTokens(settings, config, text => added.TryGetValue(text, out var id) || decoder.TryGetValue(text, out id) ? id : null);
        return facts with
        {
            ClassName = name,
            VocabularySize = known,
            LargestAddedId = largest,
            SpecialTokens = special.IsEmpty ? facts.SpecialTokens : special,
            HasChatTemplate = settings.Has("chat_template"),
        };
    }

    private static Dictionary<string, long> AddedTokens(ModelConfig settings)
    {
        var tokens = new Dictionary<string, long>(StringComparer.Ordinal);
        if (settings.Value("added_tokens_decoder") is not { ValueKind: System.Text.Json.JsonValueKind.Object })
            return tokens;
        foreach (var (id, token) in settings.Object("added_tokens_decoder")!.Objects())
        {
            if (long.TryParse(id, System.Globalization.NumberStyles.None, null, out var number) && token.String("content") is { } text)
                tokens[text] = number;
        }
        return tokens;
    }

    private static ImmutableArray<SpecialToken> SpecialTokens(ModelConfig settings, ModelConfig? config, Func<string, long?> idOf)
    {
        var tokens = ImmutableArray.CreateBuilder<SpecialToken>();
        foreach (var role in (string[])["bos", "eos", "unk", "pad"])
        {
            var text = settings.Value(role + "_token") switch
            {
                { ValueKind: System.Text.Json.JsonValueKind.String } plain => plain.GetString(),
                { ValueKind: System.Text.Json.JsonValueKind.Object } => settings.Object(role + "_token")!.String("content"),
                _ => null,
            };
            // A list in config.json names several end tokens; the tokenizer's own text is one of them, unknown which.
            var id = text is null ? null : idOf(text) ?? (config?.Text.Value(role + "_token_id") is { ValueKind: System.Text.Json.JsonValueKind.Number } number && number.TryGetInt64(out var stated) ? stated : null);
            if (text is not null)
                tokens.Add(new(role, text, id));
        }
        return tokens.ToImmutable();
    }

    private static string? Existing(string folder, string name) => Path.Combine(folder, name) is var path && File.Exists(path) ? path : null;
}

using System.Collections.Immutable;
using Plimsoll.Checkpoints.Gguf;

namespace Plimsoll.Checkpoints.Tokenizers.Vocabularies;

/// <summary>Reads the vocabulary inside a GGUF file.</summary>
/// <remarks>Keys and defaults: llama.cpp v0.5.0, src/llama-arch.cpp (tokenizer.ggml.*) and src/llama-vocab.cpp (load).</remarks>
internal static class GgufVocabulary
{
    private const string Prefix = "tokenizer.ggml.";

    /// <summary>Splitting rules whose models take a word that is a token whole (<c>ignore_merges</c> of tokenizer.json).</summary>
    private static readonly HashSet<string> IgnoringMerges =
    [
        "llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2", "jina-v5-nano", "tekken", "youtu", "minicpm5", "granite-embed-multi-97m",
    ];

    /// <summary>Splitting rules whose models begin with <c>bos</c> unless the file says otherwise.</summary>
    private static readonly HashSet<string> BeginningWithBos =
    [
        "llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2", "jina-v5-nano", "tekken", "chameleon", "gemma4", "granite-embed-multi-311m",
    ];

    /// <summary>Splitting rules of RoBERTa's relatives, which end with <c>sep</c>.</summary>
    private static readonly HashSet<string> EndingWithSeparator = ["jina-v1-en", "jina-v2-code", "roberta-bpe"];

    /// <exception cref="CheckpointFormatException">There is no vocabulary, one of a kind that we cannot run, or a broken one.</exception>
    public static Vocabulary Read(GgufMetadata metadata)
    {
        var model = metadata.String(Prefix + "model") ?? throw Bad(metadata, "a tokenizer in the metadata (tokenizer.ggml.model)", "none");
        var pre = metadata.String(Prefix + "pre");
        var kind = model == "gpt2" && pre is "gemma4" or "sarvam-moe" or "granite-embed-multi-311m" ? TokenizerKind.CharacterBpe
            : TokenizerKinds.FromGguf(model) ?? throw Bad(metadata, "a tokenizer of model gpt2, llama, gemma4, t5 or bert", $"'{model}'");
        ImmutableArray<string> tokens = [.. metadata.Strings(Prefix + "tokens") ?? throw Bad(metadata, $"the array '{Prefix}tokens'", "no such key")];
        var types = Numbers(metadata, "token_type");
        var scores = Numbers(metadata, "scores");
        Check(metadata, "token_type", types.Length, tokens.Length);
        Check(metadata, "scores", scores.Length, tokens.Length);
        // Without a name the loader splits by a rule of its own.
        pre ??= kind switch { TokenizerKind.CharacterBpe => "gemma4", TokenizerKind.ByteLevelBpe => "default", _ => null };
        var isBpe = kind is TokenizerKind.ByteLevelBpe or TokenizerKind.CharacterBpe;
        if (isBpe && !metadata.Contains(Prefix + "merges"))
            throw Bad(metadata, $"the array '{Prefix}merges'", "no such key");
        return WithControlTypes(new()
        {
            Path = metadata.Path,
            Kind = kind,
            Tokens = tokens,
            Types = types.IsEmpty ? [.. Enumerable.Repeat(TokenType.Normal, tokens.Length)] : [.. types.Take(tokens.Length).Select(type => Type((int)type))],
            Scores = [.. scores.Take(tokens.Length).Select(score => (float)score)],
            Merges = isBpe ? [.. metadata.Strings(Prefix + "merges")!] : [],
            PreTokenizer = pre,
            Special = Special(metadata, kind, tokens),
            // Files of Gemma 4 say false by mistake; the loader overrides them (llama.cpp, pull request 21500).
            AddBos = pre is "gemma4" or "granite-embed-multi-311m"
                || (metadata.Boolean(Prefix + "add_bos_token") ?? (kind is TokenizerKind.SentencePieceBpe or TokenizerKind.WordPiece || pre is not null && BeginningWithBos.Contains(pre))),
            AddEos = metadata.Boolean(Prefix + "add_eos_token") ?? kind == TokenizerKind.Unigram,
            AddSep = metadata.Boolean(Prefix + "add_sep_token") ?? (kind == TokenizerKind.WordPiece || pre is not null && EndingWithSeparator.Contains(pre)),
            AddSpacePrefix = metadata.Boolean(Prefix + "add_space_prefix") ?? kind is TokenizerKind.SentencePieceBpe,
            RemoveExtraWhitespaces = metadata.Boolean(Prefix + "remove_extra_whitespaces") ?? false,
            IgnoreMerges = pre is not null && IgnoringMerges.Contains(pre),
            CharactersMap = [.. Numbers(metadata, "precompiled_charsmap").Select(number => (byte)(int)number)],
            ChatTemplate = metadata.String("tokenizer.chat_template"),
        });
    }

    /// <summary>Tokens that end generation steer the model whatever type a converter gave them; the loader overrides it as well.</summary>
    private static Vocabulary WithControlTypes(Vocabulary vocabulary)
    {
        var types = vocabulary.Types.ToBuilder();
        foreach (var id in SpecialTokenTexts.FindEndOfGeneration(vocabulary))
            types[id] = TokenType.Control;
        return vocabulary with { Types = types.MoveToImmutable() };
    }

    private static SpecialTokenIds Special(GgufMetadata metadata, TokenizerKind kind, ImmutableArray<string> tokens)
    {
        var defaults = kind switch
        {
            TokenizerKind.SentencePieceBpe => new SpecialTokenIds { Bos = 1, Eos = 2, Unknown = 0 },
            TokenizerKind.WordPiece => new SpecialTokenIds { Bos = 101, Unknown = 100, Separator = 102, Padding = 0, Mask = 103 },
            TokenizerKind.Unigram => new SpecialTokenIds { Eos = 1, Unknown = 2, Padding = 0 },
            TokenizerKind.CharacterBpe => new SpecialTokenIds(),
            _ => new SpecialTokenIds { Bos = 11, Eos = 11 },
        };
        return new()
        {
            Bos = Id("bos_token_id", defaults.Bos),
            Eos = Id("eos_token_id", defaults.Eos),
            Eot = Id("eot_token_id", null) ?? SpecialTokenTexts.FindEndOfTurn(tokens),
            Unknown = Id("unknown_token_id", defaults.Unknown),
            Separator = Id("seperator_token_id", null) ?? Id("separator_token_id", defaults.Separator),
            Padding = Id("padding_token_id", defaults.Padding),
            Mask = Id("mask_token_id", defaults.Mask),
        };

        // Ids beyond the vocabulary mean "none": converters write −1 as an unsigned number.
        int? Id(string name, int? otherwise) =>
            metadata.Raw(Prefix + name) is long id && id >= 0 && id < tokens.Length ? (int)id : otherwise < tokens.Length ? otherwise : null;
    }

    private static TokenType Type(int value) => value is >= 1 and <= 6 ? (TokenType)value : TokenType.Unused;

    private static ImmutableArray<double> Numbers(GgufMetadata metadata, string name) =>
        metadata.Raw(Prefix + name) is GgufArray array ? [.. array.ReadNumbers()] : metadata.Numbers(Prefix + name) ?? [];

    private static void Check(GgufMetadata metadata, string name, int count, int tokens)
    {
        if (count != 0 && count < tokens)
            throw Bad(metadata, $"'{Prefix}{name}' with a value for each of the {tokens:N0} tokens", $"{count:N0}");
    }

    private static CheckpointFormatException Bad(GgufMetadata metadata, string expected, string found) => new(metadata.Path, null, expected, found);
}

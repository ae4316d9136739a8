using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Plimsoll.Checkpoints.Tokenizers.Splitting;

namespace Plimsoll.Checkpoints.Tokenizers.Vocabularies;

/// <summary>What of a <c>tokenizer.json</c> GGUF can hold.</summary>
internal static class TokenizerJsonVocabulary
{
    /// <exception cref="CheckpointFormatException">The model is of a kind that we cannot run.</exception>
    public static Vocabulary From(TokenizerJsonFile file)
    {
        var kind = Kind(file);
        if (kind == TokenizerKind.WordPiece)
            return WordPieceVocabulary(file);
        ImmutableArray<string> tokens = [.. file.Tokens.Select((text, id) => text ?? $"[PAD{id}]")];
        var (before, after) = PostProcessorTemplate.Single(file.Path, file.PostProcessor);
        var unknown = file.Settings.TryGetValue("unk_id", out var id) && id.TryGetInt32(out var number) ? number : Find(tokens, file.Text("unk_token"));
        return new()
        {
            Path = file.Path,
            Kind = kind,
            Tokens = tokens,
            Types = Types(file, kind, unknown),
            Scores = kind == TokenizerKind.SentencePieceBpe ? MergeScores(file, tokens) : Padded(file.Scores, tokens.Length),
            Merges = file.Merges,
            PreTokenizer = kind == TokenizerKind.ByteLevelBpe ? PreTokenizerNames.Recognize(file.PreTokenizer, file.Flag("ignore_merges")) : null,
            Special = new()
            {
                Bos = before is [] ? null : before[0], Eos = after is [] ? null : after[^1], Unknown = unknown,
                Eot = SpecialTokenTexts.FindEndOfTurn(tokens),
            },
            AddBos = before.Length > 0,
            AddEos = after.Length > 0,
            AddSpacePrefix = AddsSpace(file),
            RemoveExtraWhitespaces = kind == TokenizerKind.Unigram,
            IgnoreMerges = file.Flag("ignore_merges"),
            CharactersMap = CharactersMapOf(file.Normalizer),
        };
    }

    private static Vocabulary WordPieceVocabulary(TokenizerJsonFile file)
    {
        var (before, after) = PostProcessorTemplate.Single(file.Path, file.PostProcessor);
        var isControl = new bool[file.Tokens.Length];
        foreach (var added in file.AddedTokens)
            isControl[added.Id] = added.IsSpecial;
        var vocabulary = WordPieces.ToVocabulary(file.Path, [.. file.Tokens.Select((text, id) => text ?? $"[PAD{id}]")], [.. isControl], file.Text("continuing_subword_prefix") ?? "##");
        return vocabulary with { AddBos = before.Length > 0, AddSep = after.Length > 0 };
    }

    private static TokenizerKind Kind(TokenizerJsonFile file) => file.ModelType switch
    {
        "BPE" when Steps(file.PreTokenizer).Contains("ByteLevel") || Steps(file.Decoder).Contains("ByteLevel") => TokenizerKind.ByteLevelBpe,
        "BPE" => TokenizerKind.SentencePieceBpe,
        "Unigram" => TokenizerKind.Unigram,
        "WordPiece" => TokenizerKind.WordPiece,
        var other => throw new CheckpointFormatException(file.Path, null, "a model of type BPE, Unigram or WordPiece", $"'{other}'"),
    };

    private static ImmutableArray<TokenType> Types(TokenizerJsonFile file, TokenizerKind kind, int? unknown)
    {
        var types = file.Tokens.Select(text => text is null ? TokenType.Unused : TokenType.Normal).ToArray();
        if (kind is TokenizerKind.SentencePieceBpe or TokenizerKind.Unigram)
        {
            for (var id = 0; id < types.Length; id++)
            {
                if (IsByte(file.Tokens[id]))
                    types[id] = TokenType.Byte;
            }
        }
        foreach (var added in file.AddedTokens)
            types[added.Id] = added.IsSpecial ? TokenType.Control : TokenType.UserDefined;
        if (unknown < types.Length && kind != TokenizerKind.ByteLevelBpe)
            types[unknown.Value] = TokenType.Unknown;
        return [.. types];
    }

    private static bool IsByte(string? text) =>
        text is ['<', '0', 'x', _, _, '>'] && byte.TryParse(text.AsSpan(3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out _);

    /// <summary>Scores that make SentencePiece join in the order of the merges: the negated place of the first merge that gives a token.</summary>
    private static ImmutableArray<float> MergeScores(TokenizerJsonFile file, ImmutableArray<string> tokens)
    {
        var places = new Dictionary<string, int>(tokens.Length);
        for (var place = 0; place < file.Merges.Length; place++)
        {
            var space = file.Merges[place].IndexOf(' ', 1);
            if (space > 0)
                places.TryAdd(string.Concat(file.Merges[place].AsSpan(0, space), file.Merges[place].AsSpan(space + 1)), place + 1);
        }
        return [.. tokens.Select(token => places.TryGetValue(token, out var place) ? -place : 0f)];
    }

    private static ImmutableArray<float> Padded(ImmutableArray<float> scores, int count) =>
        scores.IsEmpty ? [] : [.. scores.Take(count), .. Enumerable.Repeat(0f, Math.Max(0, count - scores.Length))];

    private static bool AddsSpace(TokenizerJsonFile file) => Objects(file.Normalizer).Any(step => Is(step, "Prepend"))
        || Objects(file.PreTokenizer).Any(step => Is(step, "Metaspace") && (!step.TryGetProperty("prepend_scheme", out var scheme)
            ? !step.TryGetProperty("add_prefix_space", out var adds) || adds.ValueKind == JsonValueKind.True
            : scheme.GetString() != "never"))
        || Objects(file.PreTokenizer).Any(step => Is(step, "ByteLevel") && step.TryGetProperty("add_prefix_space", out var adds) && adds.ValueKind == JsonValueKind.True);

    private static ImmutableArray<byte> CharactersMapOf(JsonElement? normalizer)
    {
        var step = Objects(normalizer).FirstOrDefault(step => Is(step, "Precompiled"));
        return step.ValueKind == JsonValueKind.Object && step.TryGetProperty("precompiled_charsmap", out var map) && map.TryGetBytesFromBase64(out var bytes) ? [.. bytes] : [];
    }

    private static HashSet<string?> Steps(JsonElement? root) =>
        [.. Objects(root).Select(step => step.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String ? type.GetString() : null)];

    private static bool Is(JsonElement step, string type) => step.TryGetProperty("type", out var value) && value.ValueKind == JsonValueKind.String && value.ValueEquals(type);

    /// <summary>All objects inside, the root first, however they are nested.</summary>
    private static IEnumerable<JsonElement> Objects(JsonElement? root) => root switch
    {
        { ValueKind: JsonValueKind.Object } item => item.EnumerateObject().SelectMany(member => Objects(member.Value)).Prepend(item),
        { ValueKind: JsonValueKind.Array } items => items.EnumerateArray().SelectMany(item => Objects(item)),
        _ => [],
    };

    private static int? Find(ImmutableArray<string> tokens, string? text) => text is not null && tokens.IndexOf(text) is >= 0 and var id ? id : null;
}

using System.Collections.Immutable;
using Plimsoll.Checkpoints.Tokenizers.Models;
using Plimsoll.Checkpoints.Tokenizers.Normalizing;
using Plimsoll.Checkpoints.Tokenizers.Splitting;
using Plimsoll.Checkpoints.Tokenizers.Vocabularies;

namespace Plimsoll.Checkpoints.Tokenizers;

/// <summary>The steps of a tokenizer, in the order in which text goes through them.</summary>
/// <param name="Normalizers">Each takes a text between added tokens.</param>
/// <param name="Prefix">Put before a normalized text.</param>
/// <param name="IsPrefixRepeated">Also before a text that begins with it, as SentencePiece does; steps of tokenizer.json do not.</param>
/// <param name="IsPrefixFirstOnly">Only before the whole text, not before each part between added tokens.</param>
/// <param name="EscapesSpaces">Spaces become <c>▁</c> after the prefix.</param>
/// <param name="Before">Ids put before a whole text.</param>
/// <param name="After">Ids put behind it.</param>
internal sealed record TokenizerParts(
    ImmutableArray<Func<string, string>> Normalizers, string Prefix, bool IsPrefixRepeated, bool IsPrefixFirstOnly, bool EscapesSpaces, TextSplitter Splitter, ITextModel Model,
    ImmutableArray<int> Before, ImmutableArray<int> After)
{
    /// <exception cref="CheckpointFormatException">The tokenizer needs something that we do not know.</exception>
    public static TokenizerParts Of(TokenizerSource source)
    {
        var index = new TokenIndex(source.Vocabulary.Tokens);
        var parts = source.Json is { } json ? OfJson(source.Vocabulary, json, index) : OfVocabulary(source.Vocabulary, index);
        var isCut = source.Vocabulary is { IgnoreMerges: false, Kind: TokenizerKind.CharacterBpe or TokenizerKind.SentencePieceBpe or TokenizerKind.Unigram };
        return parts with { Model = new WordModel(parts.Model, isCut ? new(source.Vocabulary.Tokens, index) : null) };
    }

    private static TokenizerParts OfJson(Vocabulary vocabulary, TokenizerJsonFile json, TokenIndex index)
    {
        var steps = PreTokenizerSteps.Parse(json.Path, json.PreTokenizer);
        var (before, after) = PostProcessorTemplate.Single(json.Path, json.PostProcessor);
        var splitter = new TextSplitter(steps.Steps);
        ImmutableArray<Func<string, string>> normalizers = [.. NormalizerSteps.Parse(json.Path, json.Normalizer), .. steps.JoinsWords ? (Func<string, string>[])[SpaceNormalization.JoinWords] : []];
        return new(normalizers, steps.SpacePrefix, false, steps.IsPrefixFirstOnly, steps.ReplacesSpaces, splitter,
            JsonModel(vocabulary, json, index, splitter.GivesBytes),
            vocabulary.AddBos && !before.IsEmpty ? Check(vocabulary, before) : BeforeOf(vocabulary),
            (vocabulary.AddEos || vocabulary.AddSep) && !after.IsEmpty ? Check(vocabulary, after) : AfterOf(vocabulary));
    }

    private static ImmutableArray<int> Check(Vocabulary vocabulary, ImmutableArray<int> ids) => ids.All(id => id >= 0 && id < vocabulary.Count)
        ? ids
        : throw new CheckpointFormatException(vocabulary.Path, null, $"a post_processor with ids below {vocabulary.Count:N0}", string.Join(", ", ids));

    private static ITextModel JsonModel(Vocabulary vocabulary, TokenizerJsonFile json, TokenIndex index, bool isAlphabet)
    {
        if (vocabulary.Kind == TokenizerKind.WordPiece)
            return new WordPieceModel(vocabulary, index);
        if (vocabulary.Kind == TokenizerKind.Unigram)
            return new UnigramModel(vocabulary, index, json.Flag("byte_fallback"));
        foreach (var setting in (string[])["continuing_subword_prefix", "end_of_word_suffix"])
        {
            if (json.Text(setting) is { Length: > 0 } text)
                throw new CheckpointFormatException(json.Path, null, $"a BPE model without {setting}", $"'{text}'");
        }
        return new MergeModel(new PairRules(json.Path, json.Merges, index), index, new()
        {
            IsByteLevel = vocabulary.Kind == TokenizerKind.ByteLevelBpe,
            IsAlphabet = isAlphabet,
            IgnoresMerges = vocabulary.IgnoreMerges,
            ByteTokens = json.Flag("byte_fallback") ? index.ByteTokens() : [],
            Unknown = vocabulary.Special.Unknown ?? -1,
            FusesUnknown = json.Flag("fuse_unk"),
        });
    }

    /// <summary>GGUF, SentencePiece, ranks and merges: the kind and the name of the splitting rule say how text is treated.</summary>
    private static TokenizerParts OfVocabulary(Vocabulary vocabulary, TokenIndex index)
    {
        var prefix = vocabulary.AddSpacePrefix ? "▁" : "";
        return vocabulary.Kind switch
        {
            TokenizerKind.ByteLevelBpe => ByteLevel(NamedSplitter(vocabulary)),
            TokenizerKind.CharacterBpe => Parts([], prefix, true, NamedSplitter(vocabulary), new MergeModel(new PairRules(vocabulary.Path, vocabulary.Merges, index), index, new()
            {
                IsByteLevel = false, TakesNewLines = true, ByteTokens = index.ByteTokens(), Unknown = vocabulary.Special.Unknown ?? -1,
            })),
            TokenizerKind.SentencePieceBpe => Parts(Collapsing(vocabulary), prefix, true, new([]), new MergeModel(TextRules.ByScore(index, Scores(vocabulary)), index, new()
            {
                IsByteLevel = false, ByteTokens = index.ByteTokens(), Unknown = vocabulary.Special.Unknown ?? -1,
            })),
            TokenizerKind.Unigram => Parts(Collapsing(vocabulary), prefix, true, new([]), new UnigramModel(vocabulary, index, vocabulary.Types.Contains(TokenType.Byte))),
            _ => Parts([BertNormalization.Clean, BertNormalization.SpaceChinese, BertNormalization.StripAccents, BertNormalization.Lowercase], "", false,
                new([new(SplitPatterns.Space, SplitBehavior.Removed), new(SplitPatterns.Punctuation)]), new WordPieceModel(vocabulary, index)),
        };

        TokenizerParts ByteLevel(TextSplitter splitter) => Parts([], vocabulary.AddSpacePrefix ? " " : "", false, splitter, new MergeModel(ByteRules(vocabulary, index), index, new()
        {
            IsByteLevel = true, IsAlphabet = splitter.GivesBytes, IgnoresMerges = vocabulary.IgnoreMerges, Unknown = vocabulary.Special.Unknown ?? -1,
        }));

        TokenizerParts Parts(ImmutableArray<Func<string, string>> normalizers, string prefix, bool escapes, TextSplitter splitter, ITextModel model) =>
            new(normalizers, prefix, prefix == "▁", false, escapes, splitter, model, BeforeOf(vocabulary), AfterOf(vocabulary));
    }

    private static ImmutableArray<Func<string, string>> Collapsing(Vocabulary vocabulary) =>
    [
        .. vocabulary.CharactersMap.IsEmpty ? (Func<string, string>[])[] : [new CharactersMap(vocabulary.Path, vocabulary.CharactersMap.AsSpan()).Apply],
        .. vocabulary.RemoveExtraWhitespaces ? (Func<string, string>[])[SpaceNormalization.Collapse] : [],
    ];

    private static MergeRules ByteRules(Vocabulary vocabulary, TokenIndex index) =>
        vocabulary.Merges.IsEmpty ? TextRules.ByRank(index, vocabulary.Count) : new PairRules(vocabulary.Path, vocabulary.Merges, index);

    private static ImmutableArray<float> Scores(Vocabulary vocabulary) => vocabulary.Scores.Length >= vocabulary.Count
        ? vocabulary.Scores
        : throw new CheckpointFormatException(vocabulary.Path, null, $"a score for each of the {vocabulary.Count:N0} tokens of a SentencePiece vocabulary", $"{vocabulary.Scores.Length:N0}");

    private static TextSplitter NamedSplitter(Vocabulary vocabulary)
    {
        var name = vocabulary.PreTokenizer ?? throw new CheckpointFormatException(vocabulary.Path, null,
            "the rule that splits text before the merges (tokenizer.ggml.pre in GGUF, tokenizer_class in tokenizer_config.json)", "none");
        return new(PreTokenizerNames.Find(name) ?? throw new CheckpointFormatException(vocabulary.Path, null,
            "a splitting rule (tokenizer.ggml.pre) that we know", $"'{name}'; the closest: {string.Join(", ", Numerics.ClosestNames.Find(name, PreTokenizerNames.Known))}"));
    }

    private static ImmutableArray<int> BeforeOf(Vocabulary vocabulary) => vocabulary.AddBos && vocabulary.Special.Bos is { } bos ? [bos] : [];

    private static ImmutableArray<int> AfterOf(Vocabulary vocabulary) =>
        vocabulary.Kind == TokenizerKind.WordPiece ? vocabulary.AddSep && vocabulary.Special.Separator is { } separator ? [separator] : []
        : vocabulary.AddEos && vocabulary.Special.Eos is { } eos ? [eos] : [];
}

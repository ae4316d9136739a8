using System.Collections.Immutable;

namespace Plimsoll.Checkpoints.Tokenizers;

/// <summary>The tokens of a tokenizer and what belongs to them, as GGUF stores them: enough to write its metadata.</summary>
/// <remarks>
/// A <c>tokenizer.json</c> can say more (any sequence of normalizers and splitting rules): the tokenizer follows it whole, and
/// <see cref="PreTokenizer"/> is null where GGUF has no name for it.
/// </remarks>
public sealed record Vocabulary
{
    /// <summary>The file it was read from, for messages.</summary>
    public required string Path { get; init; }

    public required TokenizerKind Kind { get; init; }

    /// <summary>The texts by id. Ids that the source leaves out are filled with <c>[PAD7]</c> (the id) of type <see cref="TokenType.Unused"/>.</summary>
    public required ImmutableArray<string> Tokens { get; init; }

    /// <summary>The types by id.</summary>
    public required ImmutableArray<TokenType> Types { get; init; }

    /// <summary>The scores by id: log-probabilities, or the negated order of merges; empty for kinds without them.</summary>
    public ImmutableArray<float> Scores { get; init; } = [];

    /// <summary>Merge rules, first to be applied first, each two texts with a space between; empty for kinds without them.</summary>
    public ImmutableArray<string> Merges { get; init; } = [];

    /// <summary>The rule that splits text before the merges, as llama.cpp names it (<c>llama-bpe</c>); null where there is none or it has no name.</summary>
    public string? PreTokenizer { get; init; }

    public SpecialTokenIds Special { get; init; } = new();

    /// <summary>Whether an encoded text begins with <see cref="SpecialTokenIds.Bos"/>.</summary>
    public bool AddBos { get; init; }

    /// <summary>Whether an encoded text ends with <see cref="SpecialTokenIds.Eos"/>.</summary>
    public bool AddEos { get; init; }

    /// <summary>Whether an encoded text ends with <see cref="SpecialTokenIds.Separator"/> (BERT).</summary>
    public bool AddSep { get; init; }

    /// <summary>Whether a space is put before the text (SentencePiece's dummy prefix).</summary>
    public bool AddSpacePrefix { get; init; }

    /// <summary>Whether runs of spaces become one, and those at the ends none (SentencePiece).</summary>
    public bool RemoveExtraWhitespaces { get; init; }

    /// <summary>A word found whole in the vocabulary is not built by merges.</summary>
    public bool IgnoreMerges { get; init; }

    /// <summary>SentencePiece's table of replaced characters (a double array and the texts); empty when text is taken as it is.</summary>
    public ImmutableArray<byte> CharactersMap { get; init; } = [];

    /// <summary>The template that turns a conversation into text (Jinja); null when there is none.</summary>
    public string? ChatTemplate { get; init; }

    public int Count => Tokens.Length;
}

/// <summary>Ids of the tokens with a role; null where the model has none.</summary>
public sealed record SpecialTokenIds
{
    /// <summary>Beginning of text (BERT: <c>[CLS]</c>).</summary>
    public int? Bos { get; init; }

    /// <summary>End of text.</summary>
    public int? Eos { get; init; }

    /// <summary>End of a turn in a conversation.</summary>
    public int? Eot { get; init; }

    public int? Unknown { get; init; }

    public int? Separator { get; init; }

    public int? Padding { get; init; }

    public int? Mask { get; init; }
}

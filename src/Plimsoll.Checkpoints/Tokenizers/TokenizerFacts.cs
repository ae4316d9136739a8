using System.Collections.Immutable;

namespace Plimsoll.Checkpoints.Tokenizers;

/// <summary>What a tokenizer is, known without loading its vocabulary.</summary>
public sealed record TokenizerFacts
{
    /// <summary>The file it was read from, or <c>GGUF metadata</c>.</summary>
    public required string Source { get; init; }

    /// <summary>The algorithm in the field's words: <c>byte-level BPE</c>, <c>SentencePiece unigram</c>, <c>WordPiece</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>The rule that splits text before the merges, as llama.cpp names it (<c>llama-bpe</c>); null when the source has no such name.</summary>
    public string? PreTokenizer { get; init; }

    /// <summary>The class that transformers would load; null when no <c>tokenizer_config.json</c> says so.</summary>
    public string? ClassName { get; init; }

    /// <summary>Tokens with an id, added ones included; null when only the class is known.</summary>
    public long? VocabularySize { get; init; }

    /// <summary>The largest id of the vocabulary proper, without added tokens.</summary>
    public long? LargestId { get; init; }

    /// <summary>The largest id of an added token; null when none were added.</summary>
    public long? LargestAddedId { get; init; }

    /// <summary>Merge rules, where the algorithm has them in the file.</summary>
    public long? Merges { get; init; }

    /// <summary>Tokens with a role: <c>bos</c>, <c>eos</c>, <c>unk</c>, <c>pad</c> and others of GGUF.</summary>
    public ImmutableArray<SpecialToken> SpecialTokens { get; init; } = [];

    public bool HasChatTemplate { get; init; }
}

/// <summary>A token with a role. The text or the id is null where the source gives only the other.</summary>
public sealed record SpecialToken(string Role, string? Text, long? Id);

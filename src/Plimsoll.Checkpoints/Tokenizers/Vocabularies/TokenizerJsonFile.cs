using System.Collections.Immutable;
using System.Text.Json;
using Plimsoll.Checkpoints.Bytes;

namespace Plimsoll.Checkpoints.Tokenizers.Vocabularies;

/// <summary>A <c>tokenizer.json</c> of the Hugging Face tokenizers library, read whole: the vocabulary as arrays, the steps as JSON.</summary>
internal sealed record TokenizerJsonFile
{
    public required string Path { get; init; }

    /// <summary><c>BPE</c>, <c>Unigram</c>, <c>WordPiece</c> or <c>WordLevel</c>; older files leave it out, which means BPE when there are merges.</summary>
    public required string ModelType { get; init; }

    /// <summary>The texts by id, added tokens included; null for an id that nothing has.</summary>
    public required ImmutableArray<string?> Tokens { get; init; }

    /// <summary>Log-probabilities by id (unigram); empty otherwise.</summary>
    public required ImmutableArray<float> Scores { get; init; }

    public required ImmutableArray<string> Merges { get; init; }

    public required ImmutableArray<AddedToken> AddedTokens { get; init; }

    /// <summary>The scalar settings of the model: <c>byte_fallback</c>, <c>unk_token</c>, <c>unk_id</c> …</summary>
    public required IReadOnlyDictionary<string, JsonElement> Settings { get; init; }

    public JsonElement? Normalizer { get; init; }

    public JsonElement? PreTokenizer { get; init; }

    public JsonElement? PostProcessor { get; init; }

    public JsonElement? Decoder { get; init; }

    public bool Flag(string name) => Settings.TryGetValue(name, out var value) && value.ValueKind == JsonValueKind.True;

    public string? Text(string name) => Settings.TryGetValue(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <exception cref="CheckpointFormatException">The file is no such file.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static TokenizerJsonFile Read(string path) => new TokenizerJsonParser(path, SmallFile.Read(path, VocabularyLimits.MaxFileBytes)).Read();
}

/// <summary>A token that is found in text before anything else happens to it.</summary>
/// <param name="IsSpecial">It steers the model and is no text.</param>
/// <param name="IsNormalized">It is looked for after the normalizers, not before.</param>
/// <param name="IsSingleWord">Only where no letter, digit or underscore touches it.</param>
/// <param name="StripsLeft">It takes the white space before it along.</param>
/// <param name="StripsRight">It takes the white space behind it along.</param>
internal sealed record AddedToken(int Id, string Text, bool IsSpecial, bool IsNormalized = false, bool IsSingleWord = false, bool StripsLeft = false, bool StripsRight = false)
{
    /// <summary>Reads an entry of <c>added_tokens</c>, or of <c>added_tokens_decoder</c> where the id is the key.</summary>
    public static AddedToken? Parse(JsonElement entry, int id)
    {
        if (!entry.TryGetProperty("content", out var content) || content.ValueKind != JsonValueKind.String || content.GetString() is not { Length: > 0 } text)
            return null;
        return new(id, text, Flag("special"), Flag("normalized"), Flag("single_word"), Flag("lstrip"), Flag("rstrip"));

        bool Flag(string name) => entry.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.True;
    }
}

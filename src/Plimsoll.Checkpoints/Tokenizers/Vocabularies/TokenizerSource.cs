using System.Collections.Immutable;
using Plimsoll.Checkpoints.Gguf;

namespace Plimsoll.Checkpoints.Tokenizers.Vocabularies;

/// <summary>Everything that the files of a tokenizer say.</summary>
/// <param name="Added">The tokens that are found in text before anything else.</param>
/// <param name="Json">The <c>tokenizer.json</c> whose steps are followed; null where the vocabulary itself implies them.</param>
internal sealed record TokenizerSource(Vocabulary Vocabulary, ImmutableArray<AddedToken> Added, TokenizerJsonFile? Json = null)
{
    private static readonly string[] Names = ["tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt"];

    /// <summary>Reads a folder, a GGUF file, or one file of a tokenizer.</summary>
    /// <exception cref="CheckpointFormatException">There is no tokenizer, one that we do not know, or a broken one.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static TokenizerSource Read(string path)
    {
        if (!Directory.Exists(path))
            return FromFile(path);
        var folder = path;
        var file = Names.Select(name => Path.Combine(folder, name)).FirstOrDefault(File.Exists) ?? Directory.EnumerateFiles(folder, "*.tiktoken").Order(StringComparer.Ordinal).FirstOrDefault();
        if (file is not null)
            return TokenizerSettings.Read(folder).ApplyTo(FromFile(file));
        if (Directory.EnumerateFiles(folder, "*.gguf").Order(StringComparer.Ordinal).FirstOrDefault() is { } gguf)
            return FromFile(gguf);
        throw new CheckpointFormatException(path, null, $"a tokenizer in this folder ({string.Join(", ", Names)}, *.tiktoken or *.gguf)", "none");
    }

    /// <exception cref="CheckpointFormatException">There is no vocabulary, one of a kind that we cannot run, or a broken one.</exception>
    public static TokenizerSource FromGguf(GgufMetadata metadata)
    {
        var source = FromVocabulary(GgufVocabulary.Read(metadata));
        // The added tokens of Phi-3 take the space behind them along; GGUF cannot say so, and llama.cpp goes by the name.
        return metadata.String("general.name") is { } name && (name.Contains("phi-3", StringComparison.OrdinalIgnoreCase) || name.Contains("phi3", StringComparison.OrdinalIgnoreCase))
            ? source with { Added = [.. source.Added.Select(token => token with { StripsRight = token.Text is not ("<unk>" or "<s>" or "<|endoftext|>") })] }
            : source;
    }

    private static TokenizerSource FromVocabulary(Vocabulary vocabulary) => new(vocabulary, AddedOf(vocabulary));

    private static TokenizerSource FromFile(string path)
    {
        if (StartsWith(path, "GGUF"u8))
            return FromGguf(GgufReader.ReadHeader(path).Metadata);
        var name = Path.GetFileName(path);
        if (name.EndsWith(".txt", StringComparison.OrdinalIgnoreCase))
            return FromVocabulary(VocabularyPair.ReadWordPieces(path));
        if (StartsWith(path, "{"u8) || name.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
            return FromJson(path);
        // The first field of a SentencePiece model is a piece: tag 1, length-delimited.
        return FromVocabulary(StartsWith(path, [0x0A]) ? SentencePieceFile.Read(path) : TiktokenFamily.Complete(TiktokenFile.Read(path)));
    }

    /// <summary>A <c>tokenizer.json</c>, or an object of ids with <c>merges.txt</c> beside it.</summary>
    private static TokenizerSource FromJson(string path)
    {
        if (Path.GetFileName(path).EndsWith("vocab.json", StringComparison.OrdinalIgnoreCase))
        {
            var merges = path[..^"vocab.json".Length] + "merges.txt";
            return File.Exists(merges)
                ? FromVocabulary(VocabularyPair.Read(path, merges))
                : throw new CheckpointFormatException(path, null, $"the merges beside the vocabulary ({Path.GetFileName(merges)})", "no such file");
        }
        var json = TokenizerJsonFile.Read(path);
        return new(TokenizerJsonVocabulary.From(json), json.AddedTokens, json);
    }

    private static ImmutableArray<AddedToken> AddedOf(Vocabulary vocabulary)
    {
        var added = ImmutableArray.CreateBuilder<AddedToken>();
        for (var id = 0; id < vocabulary.Count; id++)
        {
            if (vocabulary.Types[id] is TokenType.Control or TokenType.Unknown or TokenType.UserDefined && vocabulary.Tokens[id].Length > 0)
                added.Add(new(id, vocabulary.Tokens[id], IsSpecial: vocabulary.Types[id] != TokenType.UserDefined));
        }
        return added.ToImmutable();
    }

    private static bool StartsWith(string path, ReadOnlySpan<byte> magic)
    {
        Span<byte> start = stackalloc byte[8];
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1);
        var read = stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        return start[..read].StartsWith(magic);
    }
}

using System.Buffers.Text;
using System.Collections.Immutable;
using System.Globalization;
using Plimsoll.Checkpoints.Bytes;

namespace Plimsoll.Checkpoints.Tokenizers.Vocabularies;

/// <summary>Reads lines of Base64 and rank: OpenAI's tiktoken form, as Llama 3 (<c>tokenizer.model</c>), Qwen 1 and Kimi ship it.</summary>
/// <remarks>The file says neither how text is split nor which special tokens follow; <see cref="TiktokenFamily"/> knows.</remarks>
internal static class TiktokenFile
{
    /// <exception cref="CheckpointFormatException">A line is something else, or a rank is missing.</exception>
    public static Vocabulary Read(string path)
    {
        var bytes = SmallFile.Read(path, VocabularyLimits.MaxFileBytes).AsSpan();
        var tokens = new List<string?>();
        var at = 0L;
        while (!bytes.IsEmpty)
        {
            var end = bytes.IndexOf((byte)'\n');
            var line = (end < 0 ? bytes : bytes[..end]).TrimEnd((byte)'\r');
            if (!line.IsEmpty)
                Add(path, at, line, tokens);
            at += end < 0 ? bytes.Length : end + 1;
            bytes = end < 0 ? [] : bytes[(end + 1)..];
        }
        if (tokens.Count == 0 || tokens.IndexOf(null) is >= 0 and var missing && missing < 256)
            throw new CheckpointFormatException(path, 0, "lines of Base64 and rank from 0 on", tokens.Count == 0 ? "none" : "a gap");
        return new()
        {
            Path = path,
            Kind = TokenizerKind.ByteLevelBpe,
            Tokens = [.. tokens.Select((text, id) => text ?? $"[PAD{id}]")],
            Types = [.. tokens.Select(text => text is null ? TokenType.Unused : TokenType.Normal)],
        };
    }

    private static void Add(string path, long at, ReadOnlySpan<byte> line, List<string?> tokens)
    {
        var space = line.IndexOf((byte)' ');
        Span<byte> decoded = stackalloc byte[1024];
        if (space <= 0 || space > 1024 || Base64.DecodeFromUtf8(line[..space], decoded, out _, out var written) != System.Buffers.OperationStatus.Done
            || !int.TryParse(line[(space + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var rank) || rank >= VocabularyLimits.MaxTokens)
            throw new CheckpointFormatException(path, at, "a line of Base64 and rank", "something else");
        while (tokens.Count <= rank)
            tokens.Add(null);
        tokens[rank] = ByteAlphabet.ToText(decoded[..written]);
    }
}

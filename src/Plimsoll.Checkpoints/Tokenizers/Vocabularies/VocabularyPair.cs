using System.Collections.Immutable;
using System.Text.Json;
using Plimsoll.Checkpoints.Bytes;

namespace Plimsoll.Checkpoints.Tokenizers.Vocabularies;

/// <summary>Reads <c>vocab.json</c> (token to id) with <c>merges.txt</c>, GPT-2's own files, and BERT's <c>vocab.txt</c>.</summary>
internal static class VocabularyPair
{
    /// <exception cref="CheckpointFormatException">The file is no object of integers, or there are no merges.</exception>
    public static Vocabulary Read(string path, string mergesPath)
    {
        var tokens = ReadIds(path);
        ImmutableArray<string> merges = [.. Lines(mergesPath).Where((line, index) => line.Length > 0 && !(index == 0 && line.StartsWith("#version", StringComparison.Ordinal)))];
        if (merges.FirstOrDefault(merge => merge.IndexOf(' ', 1) < 1) is { } wrong)
            throw new CheckpointFormatException(mergesPath, null, "two texts with a space between on every line", $"'{wrong}'");
        return new()
        {
            Path = path,
            Kind = TokenizerKind.ByteLevelBpe,
            Tokens = [.. tokens.Select((text, id) => text ?? $"[PAD{id}]")],
            Types = [.. tokens.Select(text => text is null ? TokenType.Unused : IsMarker(text) ? TokenType.Control : TokenType.Normal)],
            Merges = merges,
            Special = new() { Bos = Index(tokens, "<|endoftext|>"), Eos = Index(tokens, "<|endoftext|>"), Eot = SpecialTokenTexts.FindEndOfTurn([.. tokens.Select(text => text ?? "")]) },
            PreTokenizer = "gpt-2",
        };
    }

    /// <summary>BERT's list of pieces, in the form that GGUF gives them: <c>▁</c> before those that begin a word, nothing before the others.</summary>
    /// <exception cref="CheckpointFormatException">The file is empty.</exception>
    public static Vocabulary ReadWordPieces(string path)
    {
        ImmutableArray<string> lines = [.. Lines(path)];
        if (lines.IndexOf("[UNK]") < 0)
            throw new CheckpointFormatException(path, null, "a list of word pieces with [UNK]", $"{lines.Length:N0} lines without it");
        return WordPieces.ToVocabulary(path, lines, [.. lines.Select(IsBracketed)]) with { AddBos = true, AddSep = true };
    }

    private static string?[] ReadIds(string path)
    {
        try
        {
            using var json = JsonDocument.Parse(SmallFile.Read(path, VocabularyLimits.MaxFileBytes));
            var largest = json.RootElement.EnumerateObject().Select(member => Id(member.Value)).DefaultIfEmpty(-1).Max();
            var tokens = new string?[largest + 1];
            foreach (var member in json.RootElement.EnumerateObject())
                tokens[Id(member.Value)] = member.Name;
            return tokens.Length > 0 ? tokens : throw new CheckpointFormatException(path, 0, "an object of token ids", "an empty one");
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            throw new CheckpointFormatException(path, null, "an object of token ids", failure.Message, failure);
        }

        int Id(JsonElement value) => value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var id) && id is >= 0 and < VocabularyLimits.MaxTokens
            ? id
            : throw new CheckpointFormatException(path, null, $"token ids from 0 to {VocabularyLimits.MaxTokens - 1:N0}", value.ToString());
    }

    private static IEnumerable<string> Lines(string path)
    {
        var text = System.Text.Encoding.UTF8.GetString(SmallFile.Read(path, VocabularyLimits.MaxFileBytes));
        var lines = text.Split('\n');
        return lines.Take(lines[^1].Length == 0 ? lines.Length - 1 : lines.Length).Select(line => line.TrimEnd('\r'));
    }

    private static bool IsMarker(string text) => text is "<|endoftext|>" or "<s>" or "</s>" or "<pad>" or "<unk>" or "<mask>";

    private static bool IsBracketed(string text) => text is ['[', .., ']'];

    private static int? Index(string?[] tokens, string text) => Array.IndexOf(tokens, text) is >= 0 and var id ? id : null;
}

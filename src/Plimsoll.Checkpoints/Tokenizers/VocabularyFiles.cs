using System.Text.Json;

namespace Plimsoll.Checkpoints.Tokenizers;

/// <summary>The older files of vocabularies, counted line by line.</summary>
internal static class VocabularyFiles
{
    /// <summary><c>vocab.json</c> (token to id) and <c>merges.txt</c>: GPT-2's byte-level BPE.</summary>
    /// <exception cref="CheckpointFormatException">The file is no object of integers.</exception>
    public static TokenizerFacts ReadJson(string path, string? mergesPath)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1);
        var (tokens, largest) = (0L, -1L);
        try
        {
            var reader = new JsonFileReader(path, stream);
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject)
                throw new CheckpointFormatException(path, 0, "an object of token ids", reader.TokenType.ToString());
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                reader.Read();
                largest = Math.Max(largest, reader.Integer("the id of a token"));
                tokens++;
            }
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            throw new CheckpointFormatException(path, null, "an object of token ids", failure.Message, failure);
        }
        return new()
        {
            Source = Path.GetFileName(path) + (mergesPath is null ? "" : $" and {Path.GetFileName(mergesPath)}"),
            Kind = mergesPath is null ? "vocabulary without merges" : "byte-level BPE",
            VocabularySize = tokens,
            LargestId = largest < 0 ? null : largest,
            Merges = mergesPath is null ? null : CountLines(mergesPath, line => !line.StartsWith("#version", StringComparison.Ordinal)),
        };
    }

    /// <summary><c>vocab.txt</c> of BERT: a token per line.</summary>
    public static TokenizerFacts ReadWordPieces(string path) => Lines(path, "WordPiece", CountLines(path, _ => true));

    /// <summary>Base64 and rank per line: tiktoken's form, as Llama 3 and Qwen 1 ship it.</summary>
    /// <exception cref="CheckpointFormatException">The first line is something else.</exception>
    public static TokenizerFacts ReadRanks(string path)
    {
        var tokens = CountLines(path, line => line.Split(' ') is [_, var rank] && long.TryParse(rank, System.Globalization.NumberStyles.None, null, out _));
        return tokens > 0 ? Lines(path, "tiktoken (byte-level BPE)", tokens) : throw new CheckpointFormatException(path, 0, "a SentencePiece model or lines of Base64 and rank", "neither");
    }

    private static TokenizerFacts Lines(string path, string kind, long tokens) =>
        new() { Source = Path.GetFileName(path), Kind = kind, VocabularySize = tokens, LargestId = tokens - 1 };

    private static long CountLines(string path, Func<string, bool> counts)
    {
        var count = 0L;
        using var reader = new StreamReader(path);
        var line = new System.Text.StringBuilder();
        var buffer = new char[16 * 1024];
        // Line by line, but a file without line ends must not become one huge string.
        for (int read; (read = reader.Read(buffer)) > 0;)
        {
            foreach (var character in buffer.AsSpan(0, read))
            {
                if (character != '\n')
                {
                    if (line.Length < 4096)
                        line.Append(character);
                    continue;
                }
                count += Counts(line, counts);
                line.Clear();
            }
        }
        return count + Counts(line, counts);
    }

    private static int Counts(System.Text.StringBuilder line, Func<string, bool> counts) => line.ToString().TrimEnd('\r') is { Length: > 0 } text && counts(text) ? 1 : 0;
}

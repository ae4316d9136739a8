using System.Text;
using System.Text.Json;
using Plimsoll.Checkpoints.Tokenizers;

namespace Plimsoll.Torch.Data;

/// <summary>Reads training data: a text file is one document; of JSON lines each is one, with <c>text</c>, or with <c>prompt</c> and <c>completion</c>, of which only the completion is learnt.</summary>
internal sealed class DocumentReader(Tokenizer tokenizer)
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <exception cref="TrainingRefusedException">The file is empty, not UTF-8, or a line of it is no document.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public List<Document> Read(string path)
    {
        var documents = new List<Document>();
        try
        {
            if (path.EndsWith(".jsonl", StringComparison.OrdinalIgnoreCase) || path.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
            {
                var number = 0;
                foreach (var line in File.ReadLines(path, Strict))
                {
                    number++;
                    if (!string.IsNullOrWhiteSpace(line))
                        documents.Add(ReadLine(line, $"{path}, line {number}"));
                }
            }
            else if (File.ReadAllText(path, Strict) is { Length: > 0 } text)
            {
                documents.Add(Whole(text));
            }
        }
        catch (DecoderFallbackException)
        {
            throw new TrainingRefusedException($"{path}: not UTF-8", "convert it first, for example with 'iconv -f latin1 -t utf-8'");
        }
        return documents.Count > 0 ? documents : throw new TrainingRefusedException($"{path}: the file has no text");
    }

    private Document ReadLine(string line, string place)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            var root = document.RootElement;
            if (root.ValueKind == JsonValueKind.Object && Text(root, "text") is { } text)
                return Whole(text);
            if (root.ValueKind == JsonValueKind.Object && Text(root, "prompt") is { } prompt && Text(root, "completion") is { } completion)
                return Answered(prompt, completion);
        }
        catch (JsonException failure)
        {
            throw new TrainingRefusedException($"{place}: not JSON: {failure.Message}");
        }
        throw new TrainingRefusedException($"{place}: an object with the string 'text', or with the strings 'prompt' and 'completion', was expected", "write one JSON object a line");
    }

    private static string? Text(JsonElement root, string name) => root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private Document Whole(string text) => new(Ended([.. Begun(tokenizer.Encode(text, addSpecial: false))]), 1);

    private Document Answered(string prompt, string completion)
    {
        int[] before = [.. Begun(tokenizer.Encode(prompt, addSpecial: false))];
        return new(Ended([.. before, .. tokenizer.Encode(completion, addSpecial: false)]), Math.Max(1, before.Length));
    }

    private IEnumerable<int> Begun(int[] ids) =>
        tokenizer.Vocabulary is { AddBos: true, Special.Bos: { } begin } ? ids.Prepend(begin) : ids;

    /// <summary>A document ends with the end of text even where encoding does not add it: the model learns to stop. One token that begins and ends texts is written once.</summary>
    private int[] Ended(int[] ids) => tokenizer.Vocabulary.Special is { Eos: { } end } special && !(tokenizer.Vocabulary.AddBos && special.Bos == end) ? [.. ids, end] : ids;
}

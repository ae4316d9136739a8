using System.Text;
using System.Text.Json;

namespace Plimsoll.Testing.Builders;

/// <summary>Tokenizers that fit a model of a few hundred tokens, byte by byte as their own libraries save them.</summary>
public static class TinyTokenizer
{
    /// <summary>Tokens of both: 256 bytes, a few merges and the special ones.</summary>
    public const int Vocabulary = 320;

    /// <summary>The pattern of Llama 3, Qwen 2 differs from it by single digits.</summary>
    public const string Llama3Pattern = @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    /// <summary>A <c>tokenizer.json</c> of byte-level BPE: bytes 0 to 255, merges from 256 on, <c>&lt;|endoftext|&gt;</c> as 300, <c>&lt;|user|&gt;</c> as 301.</summary>
    /// <param name="pattern">The regular expression that splits; null for the ByteLevel step of GPT-2.</param>
    public static string ByteLevel(string? pattern = null)
    {
        (string Left, string Right)[] merges = [("Ġ", "t"), ("h", "e"), ("Ġt", "he"), ("i", "n"), ("Ġ", "a"), ("o", "n"), ("a", "n"), ("an", "d")];
        var tokens = Enumerable.Range(0, 256).Select(value => Letter((byte)value)).Concat(merges.Select(merge => merge.Left + merge.Right)).ToList();
        var split = pattern is null
            ? """{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true}"""
            : $$"""
              {"type": "Sequence", "pretokenizers": [{"type": "Split", "pattern": {"Regex": {{Json(pattern)}}}, "behavior": "Isolated", "invert": false},
               {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false}]}
              """;
        return $$$"""
            {"version": "1.0", "truncation": null, "padding": null,
             "added_tokens": [{{{Added(300, "<|endoftext|>")}}}, {{{Added(301, "<|user|>")}}}],
             "normalizer": null, "pre_tokenizer": {{{split}}}, "post_processor": null, "decoder": {"type": "ByteLevel"},
             "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null, "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false,
              "vocab": { {{{string.Join(", ", tokens.Select((token, id) => $"{Json(token)}: {id}"))}}} },
              "merges": [{{{string.Join(", ", merges.Select(merge => Json($"{merge.Left} {merge.Right}")))}}}]}}
            """;
    }

    /// <summary>A SentencePiece <c>tokenizer.model</c> of type BPE: unknown, begin, end, 256 bytes, then pieces.</summary>
    public static byte[] SentencePiece()
    {
        List<(string Text, float Score, int Type)> pieces = [("<unk>", 0, 2), ("<s>", 0, 3), ("</s>", 0, 3)];
        pieces.AddRange(Enumerable.Range(0, 256).Select(value => ($"<0x{value:X2}>", 0f, 6)));
        string[] texts = ["▁t", "he", "▁the", "in", "▁a", "on", "an", "and", "▁", "t", "h", "e", "i", "n", "a", "o", "d", "s", "r", "l"];
        pieces.AddRange(texts.Select((text, index) => (text, -(float)index, 1)));
        var file = new List<byte>();
        foreach (var (text, score, type) in pieces)
            Field(file, 1, [.. Tagged(1, Encoding.UTF8.GetBytes(text)), 0x15, .. BitConverter.GetBytes(score), 0x18, (byte)type]);
        // trainer_spec.model_type = BPE.
        Field(file, 2, [0x18, 2]);
        return [.. file];
    }

    /// <summary>GPT-2's alphabet: printable bytes stand for themselves, the others for the characters from U+0100 on.</summary>
    public static string Letter(byte value)
    {
        static bool Printable(int code) => code is >= 33 and <= 126 or >= 161 and <= 172 or >= 174 and <= 255;
        if (Printable(value))
            return ((char)value).ToString();
        return ((char)(256 + Enumerable.Range(0, value).Count(code => !Printable(code)))).ToString();
    }

    private static string Added(int id, string text) =>
        $$"""{"id": {{id}}, "content": {{Json(text)}}, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}""";

    private static string Json(string text) => JsonSerializer.Serialize(text);

    private static void Field(List<byte> file, int number, byte[] content) => file.AddRange(Tagged(number, content));

    private static IEnumerable<byte> Tagged(int number, byte[] content) => [(byte)(number << 3 | 2), (byte)content.Length, .. content];
}

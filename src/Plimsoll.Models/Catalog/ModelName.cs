using System.Text;

namespace Plimsoll.Models.Catalog;

/// <summary>Brings the many spellings of a model's name to one key: <c>Qwen/Qwen2.5-7B-Instruct-AWQ</c>, <c>qwen2.5:7b</c> and <c>Qwen 2.5 7B Q4_K_M</c> are all <c>qwen-2.5-7b</c>.</summary>
/// <remarks>
/// Only what cannot change the shape is dropped: the owner, tuning words (Instruct, chat, it), number formats and quantization tags, and, as a last
/// resort, a release date. A size or a version is never dropped, so a key never meets a model of another size.
/// </remarks>
internal static class ModelName
{
    /// <summary>Words that name a tuning, a container or a number format of the same shape.</summary>
    private static readonly HashSet<string> Noise =
    [
        "instruct", "chat", "it", "hf", "base", "pt", "sft", "dpo", "tuned", "deduped", "latest", "text", "model", "gguf", "ggml", "safetensors", "mlx", "onnx",
        "awq", "gptq", "bnb", "hqq", "exl2", "exl3", "marlin", "autoround", "imatrix", "i1", "ud", "qat", "dynamic", "quantized", "quant", "mtp", "embedded", "resharded", "bitsandbytes",
        "f16", "f32", "bf16", "fp16", "fp32", "fp8", "fp4", "nf4", "int2", "int3", "int4", "int8", "mxfp4", "mxfp8", "nvfp4", "w4a16", "w8a8", "w8a16", "w4a8",
        "2bit", "3bit", "4bit", "5bit", "6bit", "8bit", "16bit", "32bit", "g128", "g64", "g32", "128g", "64g", "32g", "e4m3", "e5m2", "static", "tensor",
    ];

    /// <summary>Owners that appear in front of a name without a slash.</summary>
    private static readonly HashSet<string> Owners =
        ["meta", "unsloth", "thebloke", "bartowski", "nousresearch", "opensourcerelease", "mradermacher", "lmstudio", "nvidia", "redhatai", "neuralmagic", "microsoft", "google", "huggyllama", "mlc"];

    /// <summary>The segments that continue a llama.cpp quantization tag behind <c>q4</c> or <c>iq3</c>.</summary>
    private static readonly HashSet<string> TagTails = ["0", "1", "k", "s", "m", "l", "xl", "xs", "xxs", "nl", "r4", "r8", "kt", "ks", "kss", "kl", "p"];

    /// <summary>The key of a name; empty when nothing is left of it.</summary>
    /// <param name="withoutDate">Drops release dates such as <c>0528</c> or <c>2507</c> too.</param>
    public static string Key(string name, bool withoutDate = false)
    {
        var tokens = new List<string>();
        foreach (var segment in Meaningful(Segments(name)))
            SplitWords(segment, tokens);
        var key = new StringBuilder();
        var previousIsWord = false;
        foreach (var token in tokens)
        {
            if (withoutDate && IsDate(token))
                continue;
            var isWord = !token.Any(char.IsAsciiDigit);
            if (key.Length > 0 && !(isWord && previousIsWord))
                key.Append('-');
            key.Append(token);
            previousIsWord = isWord;
        }
        return key.ToString();
    }

    /// <summary>The last path component without file extension, remarks in brackets or a fragment, in lower case, cut at separators.</summary>
    private static List<string> Segments(string name)
    {
        var text = name.Trim().TrimEnd('?');
        if (text.IndexOf('#') is var hash and > 0)
            text = text[..hash];
        if (text.IndexOf('(') is var bracket and > 0)
            text = text[..bracket];
        // "X + draft" and "X on a machine" are X.
        foreach (var word in (ReadOnlySpan<string>)[" + ", " on "])
        {
            if (text.IndexOf(word, StringComparison.Ordinal) is var at and > 0)
                text = text[..at];
        }
        text = text.TrimEnd('/', ' ')[(text.TrimEnd('/', ' ').LastIndexOfAny(['/', '\\']) + 1)..].ToLowerInvariant();
        foreach (var extension in (ReadOnlySpan<string>)[".gguf", ".safetensors", ".bin"])
        {
            if (text.EndsWith(extension, StringComparison.Ordinal))
                text = text[..^extension.Length];
        }
        return JoinVersions(text);
    }

    /// <summary>Cuts at separators, but keeps <c>1_5</c> (for 1.5) in one piece: one digit on each side and no unit behind.</summary>
    private static List<string> JoinVersions(string text)
    {
        var segments = new List<string>();
        var current = new StringBuilder();
        for (var at = 0; at < text.Length; at++)
        {
            var letter = text[at];
            if (letter == '_' && IsVersionUnderscore(text, at))
                current.Append('.');
            else if (char.IsAsciiLetterOrDigit(letter) || (letter == '.' && IsBetweenDigits(text, at)))
                current.Append(letter);
            else if (current.Length > 0)
            {
                segments.Add(current.ToString());
                current.Clear();
            }
        }
        if (current.Length > 0)
            segments.Add(current.ToString());
        return segments;
    }

    private static bool IsBetweenDigits(string text, int at) =>
        at > 0 && at + 1 < text.Length && char.IsAsciiDigit(text[at - 1]) && char.IsAsciiDigit(text[at + 1]);

    private static bool IsVersionUnderscore(string text, int at)
    {
        if (!IsBetweenDigits(text, at))
            return false;
        if (at >= 2 && (char.IsAsciiDigit(text[at - 2]) || text[at - 2] is '.' or 'q'))
            return false;
        return at + 2 >= text.Length || !char.IsAsciiLetterOrDigit(text[at + 2]);
    }

    private static List<string> Meaningful(List<string> segments)
    {
        var kept = new List<string>(segments.Count);
        for (var at = 0; at < segments.Count; at++)
        {
            var segment = segments[at];
            if (IsQuantizationHead(segment))
            {
                while (at + 1 < segments.Count && TagTails.Contains(segments[at + 1]))
                    at++;
                continue;
            }
            if (Noise.Contains(segment) || (kept.Count == 0 && segments.Count > at + 1 && Owners.Contains(segment)))
                continue;
            kept.Add(segment);
        }
        return kept;
    }

    /// <summary><c>q4</c>, <c>iq2</c>, <c>tq1</c>; whatever is glued behind the digit (<c>q40</c>) is not a tag.</summary>
    private static bool IsQuantizationHead(string segment) =>
        segment is ['q', >= '1' and <= '8'] or ['i', 'q', >= '1' and <= '8'] or ['t', 'q', >= '1' and <= '8'];

    /// <summary>Cuts words from numbers: <c>qwen2.5</c> is two tokens; <c>7b</c>, <c>128k</c>, <c>8x7b</c>, <c>a3b</c>, <c>e2b</c> and <c>v0.1</c> stay whole.</summary>
    private static void SplitWords(string segment, List<string> tokens)
    {
        if (IsWhole(segment))
        {
            tokens.Add(segment);
            return;
        }
        var start = 0;
        for (var at = 1; at <= segment.Length; at++)
        {
            if (at < segment.Length && !IsBoundary(segment, at))
                continue;
            tokens.Add(segment[start..at]);
            start = at;
        }
    }

    /// <summary>An optional letter, a number (or two with an x between), an optional unit: nothing to cut.</summary>
    private static bool IsWhole(string segment)
    {
        var at = segment[0] is 'a' or 'e' or 'v' ? 1 : 0;
        var digits = at;
        while (at < segment.Length && (char.IsAsciiDigit(segment[at]) || segment[at] is '.' or 'x'))
            at++;
        return at > digits && (at == segment.Length || (at == segment.Length - 1 && segment[at] is 'b' or 'm' or 'k' or 't'));
    }

    private static bool IsBoundary(string segment, int at)
    {
        var (left, right) = (segment[at - 1], segment[at]);
        var fromWord = char.IsAsciiLetter(left) && char.IsAsciiDigit(right);
        var toWord = char.IsAsciiDigit(left) && char.IsAsciiLetter(right);
        return fromWord || (toWord && !(right is 'b' or 'm' or 'k' or 't' && at == segment.Length - 1));
    }

    /// <summary>A release date: <c>0528</c>, <c>2507</c>, <c>1124</c>, <c>20250528</c>.</summary>
    private static bool IsDate(string token) => token.Length is 4 or 6 or 8 && token.All(char.IsAsciiDigit);
}

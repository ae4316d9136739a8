using System.Collections.Immutable;
using System.Text.Json;
using System.Text.RegularExpressions;
using Plimsoll.Checkpoints.Tokenizers.Splitting;

namespace Plimsoll.Checkpoints.Tokenizers.Normalizing;

/// <summary>Reads a <c>normalizer</c> of tokenizer.json into functions of text.</summary>
internal static class NormalizerSteps
{
    /// <exception cref="CheckpointFormatException">A step that we do not know.</exception>
    public static ImmutableArray<Func<string, string>> Parse(string path, JsonElement? root)
    {
        try
        {
            return root is { } step ? [.. Read(path, step)] : [];
        }
        catch (Exception failure) when (failure is InvalidOperationException or KeyNotFoundException or FormatException or ArgumentException)
        {
            throw new CheckpointFormatException(path, null, "a normalizer as the tokenizers library writes it", failure.Message, failure);
        }
    }

    private static IEnumerable<Func<string, string>> Read(string path, JsonElement step) => step.GetProperty("type").GetString() switch
    {
        "Sequence" => step.GetProperty("normalizers").EnumerateArray().SelectMany(inner => Read(path, inner)),
        "NFC" => [text => UnicodeNormalization.Apply(text, isCompatible: false, composes: true)],
        "NFD" => [text => UnicodeNormalization.Apply(text, isCompatible: false, composes: false)],
        "NFKC" => [text => UnicodeNormalization.Apply(text, isCompatible: true, composes: true)],
        "NFKD" => [text => UnicodeNormalization.Apply(text, isCompatible: true, composes: false)],
        "Lowercase" => [BertNormalization.Lowercase],
        "StripAccents" => [BertNormalization.DropMarks],
        "Prepend" => [Prepend(step.GetProperty("prepend").GetString()!)],
        "Strip" => [Strip(Flag(step, "strip_left"), Flag(step, "strip_right"))],
        "Replace" => [Replace(step)],
        "BertNormalizer" => Bert(step),
        "Precompiled" => [new CharactersMap(path, step.GetProperty("precompiled_charsmap").GetBytesFromBase64()).Apply],
        var other => throw new CheckpointFormatException(path, null, "a normalizer that we know (NFC, NFKC, Replace, Prepend, Lowercase, BertNormalizer, Precompiled …)", $"'{other}'"),
    };

    private static IEnumerable<Func<string, string>> Bert(JsonElement step)
    {
        var lowers = Flag(step, "lowercase");
        if (Flag(step, "clean_text"))
            yield return BertNormalization.Clean;
        if (Flag(step, "handle_chinese_chars"))
            yield return BertNormalization.SpaceChinese;
        // Not given means: as the letters' case.
        if (step.TryGetProperty("strip_accents", out var strips) && strips.ValueKind != JsonValueKind.Null ? strips.ValueKind == JsonValueKind.True : lowers)
            yield return BertNormalization.StripAccents;
        if (lowers)
            yield return BertNormalization.Lowercase;
    }

    private static Func<string, string> Prepend(string prefix) => text => text.Length == 0 ? text : prefix + text;

    private static Func<string, string> Strip(bool left, bool right) => text => (left, right) switch
    {
        (true, true) => text.Trim(),
        (true, false) => text.TrimStart(),
        (false, true) => text.TrimEnd(),
        _ => text,
    };

    private static Func<string, string> Replace(JsonElement step)
    {
        var (pattern, content) = (step.GetProperty("pattern"), step.GetProperty("content").GetString()!);
        if (pattern.TryGetProperty("String", out var plain))
        {
            var text = plain.GetString()!;
            return input => input.Replace(text, content, StringComparison.Ordinal);
        }
        var regex = new Regex(OnigurumaPattern.ToDotNet(pattern.GetProperty("Regex").GetString()!), RegexOptions.CultureInvariant);
        return input => regex.Replace(input, _ => content);
    }

    private static bool Flag(JsonElement step, string name) => step.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.True;
}

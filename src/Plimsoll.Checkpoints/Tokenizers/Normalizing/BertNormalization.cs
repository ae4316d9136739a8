using System.Globalization;
using System.Text;

namespace Plimsoll.Checkpoints.Tokenizers.Normalizing;

/// <summary>What BERT does to text before splitting it (google-research/bert, tokenization.py).</summary>
internal static class BertNormalization
{
    /// <summary>Drops control characters and writes every white space as a space.</summary>
    public static string Clean(string text) => Map(text, rune =>
        Rune.IsWhiteSpace(rune) ? " "
        : rune.Value is 0 or 0xFFFD || Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.OtherNotAssigned or UnicodeCategory.PrivateUse ? ""
        : null);

    /// <summary>Puts spaces around Chinese characters, which are words of their own.</summary>
    public static string SpaceChinese(string text) => Map(text, rune => IsChinese(rune.Value) ? $" {rune} " : null);

    /// <summary>Decomposes and drops the non-spacing marks; the others are vowels of their scripts.</summary>
    public static string StripAccents(string text) => Map(UnicodeNormalization.Apply(text, isCompatible: false, composes: false),
        rune => Rune.GetUnicodeCategory(rune) == UnicodeCategory.NonSpacingMark ? "" : null);

    /// <summary>Drops every mark that stands alone (the step <c>StripAccents</c> of tokenizer.json).</summary>
    public static string DropMarks(string text) => Map(text,
        rune => Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark ? "" : null);

    /// <summary>Lower case character by character; only <c>İ</c> becomes two.</summary>
    public static string Lowercase(string text) => Map(text, rune =>
        rune.Value == 0x130 ? "i\u0307" : Rune.ToLowerInvariant(rune) is var lower && lower != rune ? lower.ToString() : null);

    /// <param name="replace">Null to keep the character.</param>
    private static string Map(string text, Func<Rune, string?> replace)
    {
        var result = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            if (replace(rune) is { } replacement)
                result.Append(replacement);
            else
                result.Append(rune.ToString());
        }
        return result.ToString();
    }

    private static bool IsChinese(int code) => code
        is (>= 0x4E00 and <= 0x9FFF) or (>= 0x3400 and <= 0x4DBF) or (>= 0x20000 and <= 0x2A6DF) or (>= 0x2A700 and <= 0x2B73F)
        or (>= 0x2B740 and <= 0x2B81F) or (>= 0x2B920 and <= 0x2CEAF) or (>= 0xF900 and <= 0xFAFF) or (>= 0x2F800 and <= 0x2FA1F);
}

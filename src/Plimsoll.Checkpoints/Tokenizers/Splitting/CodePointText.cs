using System.Globalization;
using System.Text;

namespace Plimsoll.Checkpoints.Tokenizers.Splitting;

/// <summary>Text with one character per code point, for .NET's regular expressions, which see a pair of surrogates as two characters of no category.</summary>
/// <remarks>A code point beyond U+FFFF is replaced by a character that the patterns of tokenizers cannot tell from it: same category, in none of their ranges.</remarks>
internal readonly struct CodePointText
{
    private readonly int[]? _starts;

    private CodePointText(string text, int[]? starts)
    {
        Text = text;
        _starts = starts;
    }

    /// <summary>What patterns are matched against.</summary>
    public string Text { get; }

    public static CodePointText Of(string text)
    {
        if (text.AsSpan().IndexOfAnyInRange('\uD800', '\uDFFF') < 0)
            return new(text, null);
        var result = new StringBuilder(text.Length);
        var starts = new int[text.Length + 1];
        for (var at = 0; at < text.Length;)
        {
            starts[result.Length] = at;
            Rune.DecodeFromUtf16(text.AsSpan(at), out var rune, out var length);
            result.Append(rune.IsBmp ? (char)rune.Value : StandIn(rune));
            at += length;
        }
        starts[result.Length] = text.Length;
        return new(result.ToString(), starts);
    }

    /// <summary>The place in the original text of the character at <paramref name="index"/>, or its end.</summary>
    public int Original(int index) => _starts is null ? index : _starts[index];

    private static char StandIn(Rune rune) => Rune.GetUnicodeCategory(rune) switch
    {
        UnicodeCategory.UppercaseLetter => HasCase(rune) ? 'Ａ' : '\uA790',
        UnicodeCategory.LowercaseLetter => HasCase(rune) ? 'ａ' : '\uA791',
        UnicodeCategory.ModifierLetter => '\uA9CF',
        // Extension A: a Han letter outside the range 一-龥 that patterns name.
        UnicodeCategory.OtherLetter => rune.Value is >= 0x20000 and < 0x40000 ? '\u3400' : '\uA000',
        UnicodeCategory.NonSpacingMark => '\u0300',
        UnicodeCategory.SpacingCombiningMark => '\u0903',
        UnicodeCategory.DecimalDigitNumber => '\u0660',
        UnicodeCategory.LetterNumber => '\u2160',
        UnicodeCategory.OtherNumber => '\u2460',
        UnicodeCategory.DashPunctuation or UnicodeCategory.OtherPunctuation => '\u2E2E',
        UnicodeCategory.MathSymbol => '\u2200',
        UnicodeCategory.CurrencySymbol => '\u20AC',
        UnicodeCategory.ModifierSymbol => '\uA700',
        UnicodeCategory.OtherSymbol => '\u2600',
        UnicodeCategory.Format => '\u200B',
        _ => '\uE000',
    };

    /// <summary>Letters with a partner of the other case belong to the alphabets that patterns list (Deseret, Osage, Old Hungarian, Adlam …).</summary>
    private static bool HasCase(Rune rune) => Rune.ToLowerInvariant(rune) != Rune.ToUpperInvariant(rune);
}

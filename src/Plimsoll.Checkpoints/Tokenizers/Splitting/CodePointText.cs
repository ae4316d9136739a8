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

    /// <summary>The character that stands for one beyond U+FFFF, in text and in patterns.</summary>
    public static char StandIn(Rune rune) => Rune.GetUnicodeCategory(rune) switch
    {
        UnicodeCategory.UppercaseLetter => HasCase(rune) ? '\uFF21' : '\uA790',
        UnicodeCategory.LowercaseLetter => HasCase(rune) ? '\uFF41' : '\uA791',
        UnicodeCategory.ModifierLetter => '\uA9CF',
        // A Han letter outside the ranges that patterns name, U+0800 to U+9FA5.
        UnicodeCategory.OtherLetter => rune.Value is >= 0x20000 and < 0x40000 ? '\uF900' : '\uA000',
        UnicodeCategory.NonSpacingMark => '\u0300',
        UnicodeCategory.SpacingCombiningMark => '\uA823',
        UnicodeCategory.DecimalDigitNumber => '\u0660',
        UnicodeCategory.LetterNumber => '\uA6E6',
        UnicodeCategory.OtherNumber => '\uA830',
        UnicodeCategory.DashPunctuation or UnicodeCategory.OtherPunctuation => '\uA8CE',
        UnicodeCategory.MathSymbol => '\uFB29',
        UnicodeCategory.CurrencySymbol => '\uA838',
        UnicodeCategory.ModifierSymbol => '\uA700',
        UnicodeCategory.OtherSymbol => '\uFFE4',
        UnicodeCategory.Format => '\uFEFF',
        _ => '\uE000',
    };

    /// <summary>Letters with a partner of the other case belong to the alphabets that patterns list (Deseret, Osage, Old Hungarian, Adlam …).</summary>
    private static bool HasCase(Rune rune) => Rune.ToLowerInvariant(rune) != Rune.ToUpperInvariant(rune);
}

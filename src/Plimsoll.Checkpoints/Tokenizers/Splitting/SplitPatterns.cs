using System.Text.RegularExpressions;

namespace Plimsoll.Checkpoints.Tokenizers.Splitting;

/// <summary>The patterns by which models split text before the merges, as their <c>tokenizer.json</c> has them.</summary>
/// <remarks>Those that most models share are compiled with the library; any other is interpreted.</remarks>
internal static partial class SplitPatterns
{
    public const string Gpt2 = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    public const string Llama3 =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    public const string Qwen2 =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    public const string Qwen35 =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    public const string Gpt4O =
        @"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
        + @"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
        + @"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    public const string Tekken =
        @"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
        + @"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
        + @"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    public const string Deepseek3 =
        @"[!""#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    public const string Digit = @"\p{N}";

    public const string Digits = @"\p{N}+";

    public const string UpToThreeDigits = @"\p{N}{1,3}";

    public const string ThreeAsciiDigits = "[0-9][0-9][0-9]";

    /// <summary>What the <c>Punctuation</c> step takes: ASCII punctuation and symbols, and the Unicode category.</summary>
    public const string Punctuation = @"[!-/:-@\[-`{-~\p{P}]";

    public const string Space = @"\s+";

    /// <summary>Words and runs of what is neither word nor space; <c>\w</c> of .NET lacks some marks and numbers.</summary>
    public const string WordsAndSymbols = @"[\p{L}\p{M}\p{N}\p{Pc}]+|[^\p{L}\p{M}\p{N}\p{Pc}\s]+";

    public const string NewLines = @"[^\n]+|\n+";

    private const RegexOptions Options = RegexOptions.CultureInvariant;

    /// <exception cref="ArgumentException">.NET does not understand the pattern.</exception>
    public static Regex Compile(string pattern) => pattern switch
    {
        Gpt2 => Gpt2Regex(),
        Llama3 => Llama3Regex(),
        Qwen2 => Qwen2Regex(),
        Qwen35 => Qwen35Regex(),
        Gpt4O => Gpt4ORegex(),
        Tekken => TekkenRegex(),
        Deepseek3 => Deepseek3Regex(),
        Digit => DigitRegex(),
        Punctuation => PunctuationRegex(),
        _ => new(OnigurumaPattern.ToDotNet(pattern), Options),
    };

    [GeneratedRegex(Gpt2, Options)]
    private static partial Regex Gpt2Regex();

    [GeneratedRegex(Llama3, Options)]
    private static partial Regex Llama3Regex();

    [GeneratedRegex(Qwen2, Options)]
    private static partial Regex Qwen2Regex();

    [GeneratedRegex(Qwen35, Options)]
    private static partial Regex Qwen35Regex();

    [GeneratedRegex(Gpt4O, Options)]
    private static partial Regex Gpt4ORegex();

    [GeneratedRegex(Tekken, Options)]
    private static partial Regex TekkenRegex();

    [GeneratedRegex(Deepseek3, Options)]
    private static partial Regex Deepseek3Regex();

    [GeneratedRegex(Digit, Options)]
    private static partial Regex DigitRegex();

    [GeneratedRegex(Punctuation, Options)]
    private static partial Regex PunctuationRegex();
}

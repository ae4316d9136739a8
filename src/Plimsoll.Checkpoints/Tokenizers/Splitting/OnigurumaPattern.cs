using System.Buffers;
using System.Text;

namespace Plimsoll.Checkpoints.Tokenizers.Splitting;

/// <summary>Writes a pattern of the Oniguruma dialect (the tokenizers library's) for .NET.</summary>
/// <remarks>
/// What differs in patterns that tokenizers use: possessive quantifiers (<c>\p{N}{1,3}+</c>, <c>\s++</c>) become greedy ones, which match the same
/// wherever what follows cannot begin with what was taken; <c>$</c> is the end of a line; <c>&amp;&amp;[^…]</c> in a class is <c>-[…]</c>;
/// scripts (<c>\p{Han}</c>) become their ranges, and characters beyond U+FFFF what stands for them in <see cref="CodePointText"/>.
/// </remarks>
internal static class OnigurumaPattern
{
    /// <summary>Han below U+10000; those beyond stand in the text as U+F900 (<see cref="CodePointText"/>). Unicode 16, Scripts.txt.</summary>
    private const string Han = @"\u2E80-\u2E99\u2E9B-\u2EF3\u2F00-\u2FD5\u3005\u3007\u3021-\u3029\u3038-\u303B\u3400-\u4DBF\u4E00-\u9FFF\uF900-\uFA6D\uFA70-\uFAD9";

    private static readonly (string Name, string Ranges)[] Scripts =
    [
        (@"\p{Han}", Han), (@"\p{Hiragana}", @"\u3041-\u3096\u309D-\u309F"), (@"\p{Katakana}", @"\u30A1-\u30FA\u30FD-\u30FF\u31F0-\u31FF\u32D0-\u32FE\u3300-\u3357\uFF66-\uFF6F\uFF71-\uFF9D"),
        (@"\p{Hangul}", @"\u1100-\u11FF\u302E\u302F\u3131-\u318E\u3200-\u321E\u3260-\u327E\uA960-\uA97C\uAC00-\uD7A3\uD7B0-\uD7C6\uD7CB-\uD7FB\uFFA0-\uFFBE\uFFC2-\uFFC7\uFFCA-\uFFCF\uFFD2-\uFFD7\uFFDA-\uFFDC"),
    ];

    public static string ToDotNet(string pattern)
    {
        var result = new StringBuilder(pattern.Length + 16);
        var depth = 0;
        for (var at = 0; at < pattern.Length; at++)
        {
            var rest = pattern.AsSpan(at);
            if (FindScript(rest) is var (name, ranges) && name is not null)
            {
                result.Append(depth > 0 ? ranges : $"[{ranges}]");
                at += name.Length - 1;
            }
            else if (char.IsHighSurrogate(rest[0]) && Rune.DecodeFromUtf16(rest, out var rune, out _) == OperationStatus.Done)
            {
                result.Append(CodePointText.StandIn(rune));
                // The ends of a range stand for all between them.
                at += rest.Length > 3 && rest[2] == '-' && char.IsHighSurrogate(rest[3]) ? 2 : 1;
            }
            else if (rest[0] == '\\' && rest.Length > 1)
            {
                result.Append(rest[..2]);
                at++;
            }
            else if (depth > 0 && rest.StartsWith("&&[^"))
            {
                // [a&&[^b]] is [a-[b]]; the inner class is closed by its own bracket.
                result.Append("-[");
                depth++;
                at += 3;
            }
            else if (rest[0] == '[')
            {
                depth++;
                result.Append('[');
            }
            else if (rest[0] == ']' && depth > 0)
            {
                depth--;
                result.Append(']');
            }
            else if (depth == 0 && rest[0] == '$')
            {
                result.Append(@"(?=\n|\z)");
            }
            else if (depth == 0 && rest[0] == '+' && at > 0 && IsQuantifier(pattern, at - 1))
            {
                // Possessive.
            }
            else
            {
                result.Append(rest[0]);
            }
        }
        return result.ToString();
    }

    private static bool IsQuantifier(string pattern, int at) =>
        pattern[at] is '+' or '*' or '?' or '}' && (at == 0 || pattern[at - 1] != '\\') && !(pattern[at] == '}' && ClosesProperty(pattern, at));

    /// <summary>Whether the brace at <paramref name="at"/> ends <c>\p{…}</c>, behind which a plus is a plain one.</summary>
    private static bool ClosesProperty(string pattern, int at)
    {
        var open = pattern.LastIndexOf('{', at);
        return open >= 2 && pattern[open - 2] == '\\' && pattern[open - 1] is 'p' or 'P';
    }

    private static (string? Name, string Ranges) FindScript(ReadOnlySpan<char> rest)
    {
        foreach (var (name, ranges) in Scripts)
        {
            if (rest.StartsWith(name))
                return (name, ranges);
        }
        return (null, "");
    }
}

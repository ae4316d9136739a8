using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using Plimsoll.Checkpoints.Tokenizers.Vocabularies;

namespace Plimsoll.Checkpoints.Tokenizers;

/// <summary>Finds added tokens in text: the leftmost, and of those the longest.</summary>
internal sealed class AddedTokenSplitter
{
    private readonly Dictionary<string, AddedToken>.AlternateLookup<ReadOnlySpan<char>> _byText;
    private readonly int[] _lengths;
    private readonly SearchValues<string> _all;
    private readonly SearchValues<string> _plain;

    public AddedTokenSplitter(ImmutableArray<AddedToken> tokens)
    {
        var byText = new Dictionary<string, AddedToken>(tokens.Length, StringComparer.Ordinal);
        foreach (var token in tokens)
            byText.TryAdd(token.Text, token);
        _byText = byText.GetAlternateLookup<ReadOnlySpan<char>>();
        _lengths = [.. tokens.Select(token => token.Text.Length).Distinct().OrderDescending()];
        _all = SearchValues.Create([.. byText.Keys], StringComparison.Ordinal);
        _plain = SearchValues.Create([.. byText.Values.Where(token => !token.IsSpecial).Select(token => token.Text)], StringComparison.Ordinal);
    }

    /// <summary>The text in parts: tokens (with an id) and what lies between (−1), in order and without empty ones.</summary>
    /// <param name="includesSpecial">Whether tokens that steer the model are found too, not only those that are text.</param>
    public IEnumerable<(int Id, int Start, int Length)> Split(string text, bool includesSpecial)
    {
        var wanted = includesSpecial ? _all : _plain;
        var begin = 0;
        for (var from = 0; from < text.Length;)
        {
            var at = text.AsSpan(from).IndexOfAny(wanted);
            if (at < 0)
                break;
            at += from;
            if (LongestAt(text, at, includesSpecial) is not { } token)
            {
                from = at + 1;
                continue;
            }
            var (start, end) = Strip(text, token, at, begin);
            if (start > begin)
                yield return (-1, begin, start - begin);
            yield return (token.Id, start, end - start);
            begin = from = end;
        }
        if (begin < text.Length)
            yield return (-1, begin, text.Length - begin);
    }

    private AddedToken? LongestAt(string text, int at, bool includesSpecial)
    {
        foreach (var length in _lengths)
        {
            if (at + length <= text.Length && _byText.TryGetValue(text.AsSpan(at, length), out var token) && (includesSpecial || !token.IsSpecial)
                && (!token.IsSingleWord || IsWordApart(text, at, length)))
                return token;
        }
        return null;
    }

    private static (int Start, int End) Strip(string text, AddedToken token, int at, int begin)
    {
        var end = at + token.Text.Length;
        while (token.StripsLeft && at > begin && char.IsWhiteSpace(text[at - 1]))
            at--;
        while (token.StripsRight && end < text.Length && char.IsWhiteSpace(text[end]))
            end++;
        return (at, end);
    }

    private static bool IsWordApart(string text, int at, int length)
    {
        var before = Rune.DecodeLastFromUtf16(text.AsSpan(0, at), out var last, out _) == OperationStatus.Done && IsWord(last);
        var after = Rune.DecodeFromUtf16(text.AsSpan(at + length), out var next, out _) == OperationStatus.Done && IsWord(next);
        return !before && !after;
    }

    private static bool IsWord(Rune rune) => Rune.IsLetterOrDigit(rune) || rune.Value == '_';
}

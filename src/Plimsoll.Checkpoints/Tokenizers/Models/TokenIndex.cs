using System.Collections.Immutable;

namespace Plimsoll.Checkpoints.Tokenizers.Models;

/// <summary>Finds the id of a text.</summary>
internal sealed class TokenIndex
{
    private readonly Dictionary<string, int> _ids;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _bySpan;

    public TokenIndex(ImmutableArray<string> tokens)
    {
        _ids = new(tokens.Length, StringComparer.Ordinal);
        for (var id = 0; id < tokens.Length; id++)
        {
            _ids.TryAdd(tokens[id], id);
            LongestToken = Math.Max(LongestToken, tokens[id].Length);
        }
        _bySpan = _ids.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>Characters of the longest text.</summary>
    public int LongestToken { get; }

    /// <returns>−1 when no token has this text.</returns>
    public int Find(ReadOnlySpan<char> text) => _bySpan.TryGetValue(text, out var id) ? id : -1;

    /// <summary>Ids of the byte tokens <c>&lt;0x00&gt;</c> to <c>&lt;0xFF&gt;</c>; −1 for those that are missing.</summary>
    public int[] ByteTokens() => [.. Enumerable.Range(0, 256).Select(value => Find($"<0x{value:X2}>"))];
}

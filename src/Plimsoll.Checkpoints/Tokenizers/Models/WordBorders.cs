using System.Collections.Immutable;
using Plimsoll.Checkpoints.Tokenizers.Normalizing;

namespace Plimsoll.Checkpoints.Tokenizers.Models;

/// <summary>Where text may be cut before it is merged: before a <c>▁</c> behind something that no token has before an inner <c>▁</c>.</summary>
/// <remarks>
/// No symbol ever reaches over such a place, so both sides become the same tokens alone, and words are found again. The vocabularies of Llama and Gemma have no or
/// one token with an inner <c>▁</c>, yet nothing else splits their text.
/// </remarks>
internal sealed class WordBorders
{
    private readonly HashSet<char> _reachingOver = [];

    /// <summary>Whether a piece may be cut at all: a space that is no token could be part of an unknown stretch.</summary>
    private readonly bool _isActive;

    public WordBorders(ImmutableArray<string> tokens, TokenIndex index)
    {
        _isActive = index.Find([SpaceNormalization.Meta]) >= 0;
        foreach (var token in tokens)
        {
            for (var at = 1; at < token.Length; at++)
            {
                if (token[at] == SpaceNormalization.Meta && token[at - 1] != SpaceNormalization.Meta)
                    _reachingOver.Add(token[at - 1]);
            }
        }
    }

    /// <summary>The length of the first word.</summary>
    public int First(ReadOnlySpan<char> text)
    {
        if (!_isActive)
            return text.Length;
        for (var at = 1; at < text.Length; at++)
        {
            var next = text[at..].IndexOf(SpaceNormalization.Meta);
            if (next < 0)
                break;
            at += next;
            if (text[at - 1] != SpaceNormalization.Meta && !_reachingOver.Contains(text[at - 1]))
                return at;
        }
        return text.Length;
    }
}

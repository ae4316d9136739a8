using System.Collections.Immutable;

namespace Plimsoll.Checkpoints.Tokenizers.Models;

/// <summary>Says which two neighbours may be joined, what that gives, and what goes first.</summary>
internal abstract class MergeRules
{
    /// <param name="text">The text that both cover, left and right together.</param>
    /// <param name="order">The lower, the earlier.</param>
    /// <param name="id">The token that both become.</param>
    public abstract bool TryJoin(int left, int right, ReadOnlySpan<char> text, out int order, out int id);
}

/// <summary>Rules by pairs of tokens: the merges of a file in their order.</summary>
internal sealed class PairRules : MergeRules
{
    private readonly Dictionary<long, (int Order, int Id)> _joins;

    /// <exception cref="CheckpointFormatException">A merge is not two texts with a space between.</exception>
    public PairRules(string path, ImmutableArray<string> merges, TokenIndex index)
    {
        _joins = new(merges.Length);
        Span<char> joined = stackalloc char[512];
        for (var order = 0; order < merges.Length; order++)
        {
            var merge = merges[order].AsSpan();
            var space = merge.Length > 1 ? merge[1..].IndexOf(' ') + 1 : 0;
            if (space == 0)
                throw new CheckpointFormatException(path, null, $"two texts with a space between as merge {order:N0}", $"'{merge}'");
            var (left, right) = (index.Find(merge[..space]), index.Find(merge[(space + 1)..]));
            if (left < 0 || right < 0)
                continue;
            var length = merge.Length - 1;
            var text = length <= joined.Length ? joined[..length] : new char[length];
            merge[..space].CopyTo(text);
            merge[(space + 1)..].CopyTo(text[space..]);
            // A rule whose result is no token can never be the end of a word, nor the beginning of a longer token.
            if (index.Find(text) is >= 0 and var id)
                _joins.TryAdd(Key(left, right), (order, id));
        }
    }

    public override bool TryJoin(int left, int right, ReadOnlySpan<char> text, out int order, out int id)
    {
        var found = _joins.TryGetValue(Key(left, right), out var join);
        (order, id) = join;
        return found;
    }

    private static long Key(int left, int right) => (long)left << 32 | (uint)right;
}

/// <summary>Rules by what a join gives: any two neighbours whose text is a token, in the order of that token.</summary>
/// <param name="order">By id: the rank (tiktoken), or the place by falling score (SentencePiece).</param>
internal sealed class TextRules(TokenIndex index, int[] order) : MergeRules
{
    /// <summary>The order of ids themselves, as in a list of ranks.</summary>
    public static TextRules ByRank(TokenIndex index, int count) => new(index, [.. Enumerable.Range(0, count)]);

    /// <summary>Higher scores first; equal scores are equal in order, and the leftmost pair goes first.</summary>
    public static TextRules ByScore(TokenIndex index, ImmutableArray<float> scores)
    {
        var ids = Enumerable.Range(0, scores.Length).ToArray();
        var keys = scores.Select(score => -score).ToArray();
        Array.Sort(keys, ids);
        var order = new int[scores.Length];
        for (var place = 1; place < ids.Length; place++)
            order[ids[place]] = order[ids[place - 1]] + (keys[place] == keys[place - 1] ? 0 : 1);
        return new(index, order);
    }

    public override bool TryJoin(int left, int right, ReadOnlySpan<char> text, out int place, out int id)
    {
        id = text.Length <= index.LongestToken ? index.Find(text) : -1;
        place = id < 0 ? 0 : order[id];
        return id >= 0;
    }
}

namespace Plimsoll.Checkpoints.Tokenizers.Models;

/// <summary>Cuts pieces into words and remembers what became of them: most words of a text have been seen before.</summary>
/// <param name="borders">Null where pieces are words already.</param>
internal sealed class WordModel(ITextModel model, WordBorders? borders) : ITextModel
{
    /// <summary>Longer words are rare; a cache of them would hold texts.</summary>
    private const int LongestCached = 32;

    /// <summary>A word and its tokens, found again by hash. Written and read without locks: a slot is one reference.</summary>
    private readonly CachedWord?[] _cache = new CachedWord?[1 << 14];

    public void Encode(ReadOnlySpan<char> piece, List<int> ids)
    {
        for (; borders is not null && borders.First(piece) is var length && length < piece.Length; piece = piece[length..])
            EncodeWord(piece[..length], ids);
        EncodeWord(piece, ids);
    }

    private void EncodeWord(ReadOnlySpan<char> word, List<int> ids)
    {
        if (word.Length > LongestCached)
        {
            model.Encode(word, ids);
            return;
        }
        ref var slot = ref _cache[string.GetHashCode(word) & (_cache.Length - 1)];
        if (slot is not { } known || !word.SequenceEqual(known.Text))
        {
            var first = ids.Count;
            model.Encode(word, ids);
            slot = new(word.ToString(), [.. ids.Skip(first)]);
            return;
        }
        ids.AddRange(known.Ids);
    }

    private sealed record CachedWord(string Text, int[] Ids);
}

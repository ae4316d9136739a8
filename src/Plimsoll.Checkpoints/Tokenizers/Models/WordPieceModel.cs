using Plimsoll.Checkpoints.Tokenizers.Vocabularies;

namespace Plimsoll.Checkpoints.Tokenizers.Models;

/// <summary>BERT's WordPiece: the longest token from the left, again and again; a word that cannot be covered is unknown as a whole.</summary>
internal sealed class WordPieceModel(Vocabulary vocabulary, TokenIndex index) : ITextModel
{
    /// <summary>Longer words are unknown (google-research/bert, tokenization.py: max_input_chars_per_word is 200 there, 100 in the tokenizers library).</summary>
    private const int LongestWord = 100;

    private readonly int _unknown = vocabulary.Special.Unknown
        ?? throw new CheckpointFormatException(vocabulary.Path, null, "a token for unknown words ([UNK]) in a WordPiece vocabulary", "none");

    public void Encode(ReadOnlySpan<char> piece, List<int> ids)
    {
        var first = ids.Count;
        var word = piece.Length <= LongestWord ? string.Concat(WordPieces.Start, piece) : "";
        for (var start = 0; start < word.Length;)
        {
            var id = -1;
            var length = Math.Min(word.Length - start, index.LongestToken);
            for (; length > 0 && id < 0; length--)
                id = index.Find(word.AsSpan(start, length));
            if (id < 0)
            {
                ids.RemoveRange(first, ids.Count - first);
                break;
            }
            ids.Add(id);
            start += length + 1;
        }
        if (ids.Count == first)
            ids.Add(_unknown);
    }
}

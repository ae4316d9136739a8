using System.Text;

namespace Plimsoll.Checkpoints.Tokenizers.Models;

/// <summary>SentencePiece's unigram model: of all ways to cut the text into tokens, the one with the largest sum of scores (Viterbi).</summary>
/// <remarks>
/// Kudo 2018, "Subword Regularization". As in SentencePiece, an unknown character costs 10 more than the worst token, tokens of the user score 0, and unknown characters
/// in a row become one token.
/// </remarks>
internal sealed class UnigramModel : ITextModel
{
    private const double UnknownPenalty = 10;

    private readonly Vocabulary _vocabulary;
    private readonly TokenIndex _index;
    private readonly int[] _byteTokens;
    private readonly int _unknown;
    private readonly double _unknownScore;

    /// <param name="usesBytes">Unknown characters become byte tokens.</param>
    /// <exception cref="CheckpointFormatException">There are no scores, or no token for the unknown.</exception>
    public UnigramModel(Vocabulary vocabulary, TokenIndex index, bool usesBytes)
    {
        _vocabulary = vocabulary;
        _index = index;
        _unknown = vocabulary.Special.Unknown ?? throw new CheckpointFormatException(vocabulary.Path, null, "a token for unknown text (unk) in a unigram model", "none");
        if (vocabulary.Scores.Length < vocabulary.Count)
            throw new CheckpointFormatException(vocabulary.Path, null, $"a score for each of the {vocabulary.Count:N0} tokens of a unigram model", $"{vocabulary.Scores.Length:N0}");
        _byteTokens = usesBytes ? index.ByteTokens() : [];
        var lowest = double.MaxValue;
        for (var id = 0; id < vocabulary.Count; id++)
        {
            if (vocabulary.Types[id] == TokenType.Normal)
                lowest = Math.Min(lowest, vocabulary.Scores[id]);
        }
        _unknownScore = lowest - UnknownPenalty;
    }

    public void Encode(ReadOnlySpan<char> piece, List<int> ids)
    {
        // By end of a token: the best sum up to there, the token, and where it starts.
        var best = new (double Score, int Id, int Start)[piece.Length + 1];
        Array.Fill(best, (double.NegativeInfinity, -1, 0));
        best[0].Score = 0;
        for (var start = 0; start < piece.Length;)
        {
            Rune.DecodeFromUtf16(piece[start..], out _, out var character);
            var coversCharacter = false;
            for (var length = 1; length <= _index.LongestToken && start + length <= piece.Length; length++)
            {
                if (_index.Find(piece.Slice(start, length)) is not (>= 0 and var id) || Score(id) is not { } score)
                    continue;
                coversCharacter |= length == character;
                Offer(start + length, best[start].Score + score, id, start);
            }
            if (!coversCharacter)
                Offer(start + character, best[start].Score + _unknownScore, _unknown, start);
            start += character;
        }
        Collect(piece, best, ids);

        void Offer(int end, double score, int id, int start)
        {
            if (score > best[end].Score)
                best[end] = (score, id, start);
        }
    }

    private double? Score(int id) => _vocabulary.Types[id] switch
    {
        TokenType.Normal or TokenType.Unused => _vocabulary.Scores[id],
        TokenType.UserDefined => 0,
        _ => null,
    };

    private void Collect(ReadOnlySpan<char> piece, (double Score, int Id, int Start)[] best, List<int> ids)
    {
        var first = ids.Count;
        var wasUnknown = false;
        for (var end = piece.Length; end > 0; end = best[end].Start)
        {
            var (_, id, start) = best[end];
            if (id == _unknown && _byteTokens.Length > 0)
                AddBytes(piece[start..end], ids);
            else if (id != _unknown || !wasUnknown)
                ids.Add(id);
            wasUnknown = id == _unknown;
        }
        ids.Reverse(first, ids.Count - first);
    }

    /// <summary>The bytes last first, as everything is until the end.</summary>
    private void AddBytes(ReadOnlySpan<char> text, List<int> ids)
    {
        Span<byte> buffer = stackalloc byte[4];
        Rune.DecodeFromUtf16(text, out var rune, out _);
        var bytes = buffer[..rune.EncodeToUtf8(buffer)];
        for (var at = bytes.Length - 1; at >= 0; at--)
            ids.Add(_byteTokens[bytes[at]] is >= 0 and var id ? id : _unknown);
    }
}

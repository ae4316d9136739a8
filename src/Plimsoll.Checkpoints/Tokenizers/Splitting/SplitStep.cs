using System.Text.RegularExpressions;

namespace Plimsoll.Checkpoints.Tokenizers.Splitting;

/// <summary>What becomes of the text that a pattern matches (the tokenizers library's <c>SplitDelimiterBehavior</c>).</summary>
internal enum SplitBehavior
{
    /// <summary>A piece of its own.</summary>
    Isolated,

    /// <summary>Left out.</summary>
    Removed,

    /// <summary>The end of the piece before it.</summary>
    MergedWithPrevious,

    /// <summary>The beginning of the piece behind it.</summary>
    MergedWithNext,

    /// <summary>A piece together with the matches that touch it.</summary>
    Contiguous,
}

/// <summary>One step of splitting: a pattern, and what becomes of its matches.</summary>
/// <param name="pattern">In the dialect of tokenizer.json.</param>
internal sealed class SplitStep(string pattern, SplitBehavior behavior = SplitBehavior.Isolated, bool inverts = false, bool onBytes = false)
{
    private readonly Lazy<Regex> _regex = new(() => SplitPatterns.Compile(pattern));

    public string Pattern => pattern;

    public SplitBehavior Behavior => behavior;

    /// <summary>Matches and the text between them change roles.</summary>
    public bool Inverts => inverts;

    /// <summary>It sees bytes in GPT-2's alphabet, not characters: a step behind <c>ByteLevel</c> in tokenizer.json.</summary>
    public bool OnBytes => onBytes;

    public bool IsSame(SplitStep other) => (Pattern, Behavior, Inverts, OnBytes) == (other.Pattern, other.Behavior, other.Inverts, other.OnBytes);

    /// <summary>Splits one piece of the text and appends what it becomes.</summary>
    public void Split(string text, Piece piece, List<Piece> output)
    {
        var first = output.Count;
        var at = piece.Start;
        // A match never looks behind the piece: each step sees its pieces alone, as the library does.
        foreach (var match in _regex.Value.EnumerateMatches(text.AsSpan(piece.Start, piece.Length)))
        {
            if (match.Length == 0)
                continue;
            var start = piece.Start + match.Index;
            Add(new(at, start - at), Inverts, first, output);
            Add(new(start, match.Length), !Inverts, first, output);
            at = start + match.Length;
        }
        Add(new(at, piece.End - at), Inverts, first, output);
        if (Behavior == SplitBehavior.MergedWithNext)
            MergeWithNext(first, output);
        else
            Unmark(first, output);
    }

    /// <param name="isMatch">Kept in the sign of the length until the step is done.</param>
    private void Add(Piece piece, bool isMatch, int first, List<Piece> output)
    {
        if (piece.Length == 0 || isMatch && Behavior == SplitBehavior.Removed)
            return;
        var joins = isMatch && output.Count > first && Behavior switch
        {
            SplitBehavior.MergedWithPrevious => true,
            SplitBehavior.Contiguous => output[^1].Length < 0,
            _ => false,
        };
        if (joins && Behavior == SplitBehavior.MergedWithPrevious && output[^1].Length > 0)
            output[^1] = new(output[^1].Start, -(output[^1].Length + piece.Length));
        else if (joins && Behavior == SplitBehavior.Contiguous)
            output[^1] = new(output[^1].Start, output[^1].Length - piece.Length);
        else
            output.Add(isMatch ? new(piece.Start, -piece.Length) : piece);
    }

    private static void MergeWithNext(int first, List<Piece> output)
    {
        var kept = first;
        for (var index = first; index < output.Count; index++)
        {
            var piece = output[index];
            if (piece.Length < 0 && index + 1 < output.Count && output[index + 1].Length > 0)
                output[kept++] = new(piece.Start, output[++index].Length - piece.Length);
            else
                output[kept++] = new(piece.Start, Math.Abs(piece.Length));
        }
        output.RemoveRange(kept, output.Count - kept);
    }

    private static void Unmark(int first, List<Piece> output)
    {
        for (var index = first; index < output.Count; index++)
        {
            if (output[index].Length < 0)
                output[index] = new(output[index].Start, -output[index].Length);
        }
    }
}

/// <summary>A part of a text.</summary>
internal readonly record struct Piece(int Start, int Length)
{
    public int End => Start + Length;
}

using System.Collections.Immutable;

namespace Plimsoll.Checkpoints.Tokenizers.Splitting;

/// <summary>Splits text into the pieces that are turned into tokens one by one; steps follow each other, each within the pieces of the one before.</summary>
internal sealed class TextSplitter(ImmutableArray<SplitStep> steps)
{
    /// <summary>The pieces in order; parts of the text that a step removes are in none.</summary>
    public List<Piece> Split(string text)
    {
        List<Piece> pieces = text.Length == 0 ? [] : [new(0, text.Length)];
        if (steps.IsEmpty)
            return pieces;
        var source = CodePointText.Of(text);
        pieces = [new(0, source.Text.Length)];
        foreach (var step in steps)
        {
            var finer = new List<Piece>(pieces.Count + source.Text.Length / 4);
            foreach (var piece in pieces)
                step.Split(source.Text, piece, finer);
            pieces = finer;
        }
        for (var index = 0; index < pieces.Count; index++)
        {
            var (start, end) = (source.Original(pieces[index].Start), source.Original(pieces[index].End));
            pieces[index] = new(start, end - start);
        }
        return pieces;
    }
}

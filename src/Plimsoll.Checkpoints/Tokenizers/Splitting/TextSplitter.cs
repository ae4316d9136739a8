using System.Collections.Immutable;
using System.Text;

namespace Plimsoll.Checkpoints.Tokenizers.Splitting;

/// <summary>Splits text into the pieces that are turned into tokens one by one; steps follow each other, each within the pieces of the one before.</summary>
internal sealed class TextSplitter(ImmutableArray<SplitStep> steps)
{
    /// <summary>Whether pieces are of bytes in GPT-2's alphabet (Falcon), which may cut through a character.</summary>
    public bool GivesBytes { get; } = steps.Any(step => step.OnBytes);

    /// <summary>The pieces in order, and the text that they are parts of. What a step removes is in none.</summary>
    public (string Text, List<Piece> Pieces) Split(string text)
    {
        if (steps.IsEmpty || text.Length == 0)
            return (text, text.Length == 0 ? [] : [new(0, text.Length)]);
        var source = CodePointText.Of(text);
        var pieces = Run(source.Text, [new(0, source.Text.Length)], onBytes: false);
        for (var index = 0; index < pieces.Count; index++)
        {
            var (start, end) = (source.Original(pieces[index].Start), source.Original(pieces[index].End));
            pieces[index] = new(start, end - start);
        }
        if (!GivesBytes)
            return (text, pieces);
        var (bytes, bytePieces) = ToAlphabet(text, pieces);
        return (bytes, Run(bytes, bytePieces, onBytes: true));
    }

    private List<Piece> Run(string text, List<Piece> pieces, bool onBytes)
    {
        foreach (var step in steps)
        {
            if (step.OnBytes != onBytes)
                continue;
            var finer = new List<Piece>(pieces.Count + text.Length / 4);
            foreach (var piece in pieces)
                step.Split(text, piece, finer);
            pieces = finer;
        }
        return pieces;
    }

    private static (string Text, List<Piece> Pieces) ToAlphabet(string text, List<Piece> pieces)
    {
        var bytes = new StringBuilder(text.Length + 16);
        var mapped = new List<Piece>(pieces.Count);
        foreach (var piece in pieces)
        {
            var start = bytes.Length;
            foreach (var value in Encoding.UTF8.GetBytes(text, piece.Start, piece.Length))
                bytes.Append(ByteAlphabet.ToCharacter(value));
            mapped.Add(new(start, bytes.Length - start));
        }
        return (bytes.ToString(), mapped);
    }
}

using System.Globalization;
using Plimsoll.Torch.Decoders;

namespace Plimsoll.Torch.Data;

/// <summary>Documents as rows of equal length.</summary>
internal sealed class RowSet
{
    private readonly List<Row> rows;

    private RowSet(List<Row> rows) => this.rows = rows;

    public int Count => rows.Count;

    public Row this[int index] => rows[index];

    /// <summary>Targets that count, over all rows.</summary>
    public long Learnt => rows.Sum(row => (long)row.Learnt);

    /// <summary>Documents one after the other, cut into rows; what does not fill a row at the end is left out.</summary>
    /// <remarks>A row sees the documents before it in the same row, as in most trainers: the end of text between them tells the model.</remarks>
    public static RowSet Pack(IReadOnlyList<Document> documents, int length)
    {
        var tokens = documents.SelectMany(document => document.Tokens).ToArray();
        var learnt = documents.SelectMany(document => document.Tokens.Select((_, index) => index >= document.LearntFrom)).ToArray();
        var rows = new List<Row>();
        for (var start = 0; start + length + 1 <= tokens.Length; start += length)
        {
            var (inputs, targets) = (new long[length], new long[length]);
            for (var at = 0; at < length; at++)
            {
                inputs[at] = tokens[start + at];
                targets[at] = learnt[start + at + 1] ? tokens[start + at + 1] : Decoder.Ignored;
            }
            rows.Add(new(inputs, targets));
        }
        return new(WithTargets(rows));
    }

    /// <summary>One row per document: the rest of it is cut off, or the row is filled with <paramref name="padding"/>, of which nothing is learnt.</summary>
    public static RowSet Pad(IReadOnlyList<Document> documents, int length, int padding)
    {
        var rows = new List<Row>();
        foreach (var document in documents)
        {
            var (inputs, targets) = (new long[length], new long[length]);
            for (var at = 0; at < length; at++)
            {
                inputs[at] = at < document.Tokens.Length ? document.Tokens[at] : padding;
                targets[at] = at + 1 < document.Tokens.Length && at + 1 >= document.LearntFrom ? document.Tokens[at + 1] : Decoder.Ignored;
            }
            rows.Add(new(inputs, targets));
        }
        return new(WithTargets(rows));
    }

    /// <summary>Keeps the last rows apart: of one long text its end is not learnt.</summary>
    /// <param name="share">At least one row, where it is not 0.</param>
    public (RowSet First, RowSet Last) SplitEnd(double share)
    {
        var last = share == 0 ? 0 : Math.Clamp((int)Math.Round(Count * share), 1, Count);
        return (new(rows[..^last]), new(rows[^last..]));
    }

    /// <summary>Refuses data that fill no row.</summary>
    /// <exception cref="TrainingRefusedException">There is no row.</exception>
    public RowSet OrRefuse(string path, IReadOnlyList<Document> documents, int length)
    {
        if (Count > 0)
            return this;
        var tokens = documents.Sum(document => (long)document.Tokens.Length);
        throw new TrainingRefusedException(
            string.Create(CultureInfo.InvariantCulture, $"{path}: {tokens:N0} tokens of training data fill no row of {length:N0}, which takes {length + 1:N0}"),
            tokens > 16 ? string.Create(CultureInfo.InvariantCulture, $"--context {Math.Max(8, (tokens - 1) / 2)} makes shorter rows; more data is better") : "more data is needed");
    }

    private static List<Row> WithTargets(List<Row> rows) => [.. rows.Where(row => row.Learnt > 0)];
}

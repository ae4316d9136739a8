using Plimsoll.Checkpoints.Data;

namespace Plimsoll.Quantization.HuggingFace.Folding;

/// <summary>What a parameter is multiplied by.</summary>
internal sealed record Fold
{
    /// <summary>A factor per column; empty for none. A vector is one row.</summary>
    public ReadOnlyMemory<float> Columns { get; init; }

    /// <summary>A factor per row, from <see cref="FirstRow"/> on; empty for none.</summary>
    public ReadOnlyMemory<float> Rows { get; init; }

    public int FirstRow { get; init; }

    /// <summary>What is added to the stored numbers before they are used: 1 for the norms of Gemma.</summary>
    public float Offset { get; init; }
}

/// <summary>A parameter times the factors that others are divided by.</summary>
internal sealed class FoldedWeight(StoredWeight source, Fold fold) : StoredWeight(source.Storage, source.Dimensions)
{
    protected override void DecodeRows(long firstRow, Span<float> values)
    {
        source.ReadRows(firstRow, values);
        var columns = fold.Columns.Span;
        var rows = fold.Rows.Span;
        for (var row = firstRow; !values.IsEmpty; row++, values = values[(int)RowLength..])
        {
            var line = values[..(int)RowLength];
            var factor = row >= fold.FirstRow && row - fold.FirstRow < rows.Length ? rows[(int)row - fold.FirstRow] : 1;
            for (var column = 0; column < line.Length; column++)
                line[column] = (line[column] + fold.Offset) * factor * (columns.IsEmpty ? 1 : columns[column]) - fold.Offset;
        }
    }
}

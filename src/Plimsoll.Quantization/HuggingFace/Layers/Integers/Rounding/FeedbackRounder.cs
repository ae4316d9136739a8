using System.Buffers;
using Plimsoll.Quantization.ErrorFeedback;

namespace Plimsoll.Quantization.HuggingFace.Layers.Integers.Rounding;

/// <summary>GPTQ: scales from a search over the original weights (static groups, so that no order of columns is stored), codes with error feedback.</summary>
/// <remarks>A row for which rounding to nearest does better by GPTQ's own objective, e · H · eᵀ, is rounded to nearest.</remarks>
/// <param name="importance">(columns): for the choice of the scales.</param>
internal sealed class FeedbackRounder(IntegerGrid grid, FeedbackFactor factor, ReadOnlyMemory<float> importance) : IntegerRounder
{
    private readonly NearestRounder nearest = new(grid);
    private readonly FeedbackRounding rounding = new(factor, grid.Levels, grid.GroupLength);

    public override int RowAlignment => FeedbackRounding.Lanes;

    public override void Round(ReadOnlySpan<float> values, IntegerRows rows)
    {
        nearest.Round(values, rows);
        for (var row = 0; row < rows.Count; row += FeedbackRounding.Lanes)
        {
            var piece = rows.Slice(row, Math.Min(FeedbackRounding.Lanes, rows.Count - row));
            Improve(values.Slice(row * rows.Columns, piece.Codes.Length), piece);
        }
    }

    /// <summary>Replaces rows that are rounded to nearest where feedback does better.</summary>
    private void Improve(ReadOnlySpan<float> values, IntegerRows rows)
    {
        var (count, groups) = (values.Length, rows.Scales.Length);
        var floats = ArrayPool<float>.Shared.Rent(count + 2 * groups);
        var bytes = ArrayPool<byte>.Shared.Rent(count + groups);
        try
        {
            Span<float> before = stackalloc float[FeedbackRounding.Lanes];
            Span<float> after = stackalloc float[FeedbackRounding.Lanes];
            var errors = floats.AsSpan(0, count);
            Errors(values, rows, errors);
            FeedbackRounding.Objectives(factor, errors, before);

            var fed = new IntegerRows(rows.Columns, rows.GroupLength, bytes.AsSpan(0, count), floats.AsSpan(count, groups), bytes.AsSpan(count, groups));
            var offsets = floats.AsSpan(count + groups, groups);
            Choose(values, fed, offsets);
            rounding.Round(values, fed.Scales, offsets, fed.Codes, after);
            if (grid.LowestCode > 0)
                Shift(fed.Codes, grid.LowestCode);
            for (var row = 0; row < rows.Count; row++)
            {
                if (after[row] < before[row])
                    fed.Slice(row, 1).CopyTo(rows.Slice(row, 1));
            }
        }
        finally
        {
            ArrayPool<float>.Shared.Return(floats);
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    /// <summary>Scales and zero points of all groups, and what the zero points stand for.</summary>
    private void Choose(ReadOnlySpan<float> values, IntegerRows rows, Span<float> offsets)
    {
        for (var at = 0; at < rows.Scales.Length; at++)
        {
            var (row, columns) = (at / rows.Groups, rows.ColumnsOf(at % rows.Groups));
            (rows.Scales[at], rows.Zeros[at]) = ScaleSearch.Find(grid, values.Slice(row * rows.Columns, rows.Columns)[columns], importance.Span[columns]);
            offsets[at] = grid.HasZeroPoints ? -rows.Scales[at] * rows.Zeros[at] : 0;
        }
    }

    private static void Errors(ReadOnlySpan<float> values, IntegerRows rows, Span<float> errors)
    {
        rows.Decode(errors);
        for (var at = 0; at < errors.Length; at++)
            errors[at] = values[at] - errors[at];
    }

    private static void Shift(Span<byte> codes, int by)
    {
        foreach (ref var code in codes)
            code += (byte)by;
    }
}

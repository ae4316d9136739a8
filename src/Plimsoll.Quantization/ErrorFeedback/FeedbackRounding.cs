using System.Buffers;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Plimsoll.Quantization.ErrorFeedback;

/// <summary>Rounds rows to scale · level + offset, column by column in the order of a factor, and lets later columns make up for the errors of earlier ones.</summary>
/// <remarks>Sixteen rows lie side by side in lanes; a row's codes do not depend on the others.</remarks>
/// <param name="levels">The level of each code, ascending.</param>
/// <param name="groupLength">Columns that share a scale and an offset.</param>
internal sealed class FeedbackRounding(FeedbackFactor factor, ReadOnlySpan<float> levels, int groupLength)
{
    /// <summary>Rows that are rounded together.</summary>
    public const int Lanes = 16;

    private readonly LevelTable levels = new(levels);
    private readonly int groups = (factor.Columns + groupLength - 1) / groupLength;

    public int Columns => factor.Columns;

    /// <summary>Rounds up to sixteen rows.</summary>
    /// <param name="rows">(rows, columns).</param>
    /// <param name="scales">(rows, groups).</param>
    /// <param name="offsets">(rows, groups).</param>
    /// <param name="codes">Receives (rows, columns).</param>
    /// <param name="objectives">Receives e · H · eᵀ of each row, H damped as the factor's.</param>
    public void Round(ReadOnlySpan<float> rows, ReadOnlySpan<float> scales, ReadOnlySpan<float> offsets, Span<byte> codes, Span<float> objectives)
    {
        var (count, columns) = (rows.Length / Columns, Columns);
        var floats = ArrayPool<float>.Shared.Rent(2 * (columns + groups) * Lanes);
        try
        {
            var weights = Spread(rows, count, floats.AsSpan(0, columns * Lanes));
            var laneScales = Spread(scales, count, floats.AsSpan(columns * Lanes, groups * Lanes));
            var laneOffsets = Spread(offsets, count, floats.AsSpan((columns + groups) * Lanes, groups * Lanes));
            var errors = Wide(floats.AsSpan((columns + 2 * groups) * Lanes, columns * Lanes));
            Span<float> chosen = stackalloc float[Lanes];
            var total = Vector512<float>.Zero;
            for (var k = 0; k < columns; k++)
            {
                var (column, group) = (factor.Order[k], factor.Order[k] / groupLength);
                var wanted = weights[column] + Feedback(factor.Row(k), errors);
                var code = levels.Nearest(wanted, laneScales[group], laneOffsets[group], out var value);
                errors[k] = weights[column] - value;
                total += (wanted - value) * (wanted - value) * factor.Pivots[k];
                code.CopyTo(chosen);
                for (var row = 0; row < count; row++)
                    codes[row * columns + column] = (byte)chosen[row];
            }
            total.CopyTo(chosen);
            chosen[..count].CopyTo(objectives);
        }
        finally
        {
            ArrayPool<float>.Shared.Return(floats);
        }
    }

    /// <summary>e · H · eᵀ of up to sixteen rows, H damped as the factor's.</summary>
    /// <param name="errors">(rows, columns).</param>
    public static void Objectives(FeedbackFactor factor, ReadOnlySpan<float> errors, Span<float> objectives)
    {
        var (count, columns) = (errors.Length / factor.Columns, factor.Columns);
        var floats = ArrayPool<float>.Shared.Rent(2 * columns * Lanes);
        try
        {
            var byColumn = Spread(errors, count, floats.AsSpan(0, columns * Lanes));
            var ordered = Wide(floats.AsSpan(columns * Lanes, columns * Lanes));
            var total = Vector512<float>.Zero;
            for (var k = 0; k < columns; k++)
            {
                ordered[k] = byColumn[factor.Order[k]];
                var left = ordered[k] + Feedback(factor.Row(k), ordered);
                total += left * left * factor.Pivots[k];
            }
            Span<float> sums = stackalloc float[Lanes];
            total.CopyTo(sums);
            sums[..count].CopyTo(objectives);
        }
        finally
        {
            ArrayPool<float>.Shared.Return(floats);
        }
    }

    /// <summary>Σ F_kj · e_j.</summary>
    private static Vector512<float> Feedback(ReadOnlySpan<float> factors, ReadOnlySpan<Vector512<float>> errors)
    {
        var even = Vector512<float>.Zero;
        var odd = Vector512<float>.Zero;
        var j = 0;
        for (; j + 1 < factors.Length; j += 2)
        {
            even += errors[j] * factors[j];
            odd += errors[j + 1] * factors[j + 1];
        }
        if (j < factors.Length)
            even += errors[j] * factors[j];
        return even + odd;
    }

    /// <summary>From rows to lanes: (rows, length) becomes (length, lanes), with zeros where there is no row.</summary>
    private static Span<Vector512<float>> Spread(ReadOnlySpan<float> rows, int count, Span<float> lanes)
    {
        var length = lanes.Length / Lanes;
        lanes.Clear();
        for (var row = 0; row < count; row++)
        {
            for (var at = 0; at < length; at++)
                lanes[at * Lanes + row] = rows[row * length + at];
        }
        return Wide(lanes);
    }

    private static Span<Vector512<float>> Wide(Span<float> values) => MemoryMarshal.Cast<float, Vector512<float>>(values);
}

using System.Collections.Immutable;
using Plimsoll.Numerics;
using Plimsoll.Numerics.Blocks;
using Plimsoll.Numerics.Codecs;
using Plimsoll.Quantization.ErrorFeedback;
using Plimsoll.Quantization.Gguf;

namespace Plimsoll.Quantization.Allocation;

/// <summary>What rounding a tensor to a type changes in its outputs, estimated from rows that are spread evenly.</summary>
/// <remarks>
/// Where the products of the inputs are known that is e · H · eᵀ over its rows, e = w − ŵ; else Σ h · e², h being the mean square of the activation that meets the column, or 1 where that is not known either.
/// </remarks>
/// <param name="importance">h, of one matrix after the other; empty for none.</param>
/// <param name="factors">Of each matrix; default where there is no error feedback.</param>
internal sealed class TensorErrors(GgufSource source, ReadOnlyMemory<float> importance, ImmutableArray<FeedbackFactor?> factors)
{
    private const int SampleRows = 128;

    private readonly int length = checked((int)source.Rows.RowLength);
    private readonly bool hasFactors = !factors.IsDefault && factors.All(factor => factor is not null);

    /// <summary>When it is rounded as the file is going to be.</summary>
    public double Of(NumberFormat type) => Sum((matrix, values) =>
    {
        var blocks = new byte[type.BytesFor(values.Length)];
        if (hasFactors && BlockCodecs.Find(type) is { } codec and IBlockGrid grid)
            return new FeedbackEncoder(factors[matrix]!, codec, grid).Encode(values, blocks, Columns(matrix).Span, BlockSearch.Exact);
        return Nearest(type, matrix, values);
    });

    /// <summary>When it is rounded to nearest.</summary>
    public double OfNearest(NumberFormat type) => Sum((matrix, values) => Nearest(type, matrix, values));

    /// <summary>Encodes rows and decodes them again.</summary>
    public static void Round(NumberFormat type, ReadOnlySpan<float> rows, int length, ReadOnlySpan<float> importance, Span<float> decoded)
    {
        var blocks = new byte[type.BytesFor(rows.Length)];
        if (BlockCodecs.Find(type) is { } codec)
        {
            codec.Encode(rows, length, blocks, importance);
            codec.Decode(blocks, decoded);
            return;
        }
        ElementCodec.Encode(type, rows, blocks);
        ElementCodec.Decode(type, blocks, decoded);
    }

    private double Nearest(NumberFormat type, int matrix, float[] values)
    {
        var errors = new float[values.Length];
        Round(type, values, length, Columns(matrix).Span, errors);
        for (var at = 0; at < values.Length; at++)
            errors[at] = values[at] - errors[at];
        return hasFactors ? Objective(factors[matrix]!, errors) : Weighted(errors, Columns(matrix).Span);
    }

    /// <summary>Sums over sample rows, up to sixteen of a matrix at a time, and scales to all rows.</summary>
    private double Sum(Func<int, float[], double> errorOf)
    {
        var rows = source.Rows.Rows;
        var matrixRows = rows / Math.Max(1, source.Tensor.Matrices);
        var sample = (int)Math.Min(rows, SampleRows);
        var sum = 0.0;
        foreach (var matrix in Enumerable.Range(0, sample).Select(index => index * rows / sample).GroupBy(row => (int)(row / matrixRows)))
        {
            foreach (var piece in matrix.Chunk(FeedbackRounding.Lanes))
            {
                var values = new float[piece.Length * length];
                for (var at = 0; at < piece.Length; at++)
                    source.Rows.Read(piece[at], values.AsSpan(at * length, length));
                sum += errorOf(matrix.Key, values);
            }
        }
        return sum * rows / sample;
    }

    private ReadOnlyMemory<float> Columns(int matrix) => importance.IsEmpty ? default : importance.Slice(matrix * length, length);

    private static double Objective(FeedbackFactor factor, float[] errors)
    {
        var objectives = new float[FeedbackRounding.Lanes];
        FeedbackRounding.Objectives(factor, errors, objectives);
        return objectives.Sum(objective => (double)objective);
    }

    private static double Weighted(ReadOnlySpan<float> errors, ReadOnlySpan<float> importance)
    {
        var sum = 0.0;
        for (var at = 0; at < errors.Length; at++)
            sum += (double)errors[at] * errors[at] * (importance.IsEmpty ? 1 : importance[at % importance.Length]);
        return sum;
    }
}

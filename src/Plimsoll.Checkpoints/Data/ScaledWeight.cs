using Plimsoll.Checkpoints.Layouts;
using Plimsoll.Numerics;
using Plimsoll.Numerics.Codecs;
using System.Buffers;

namespace Plimsoll.Checkpoints.Data;

/// <summary>FP8 codes times scales: one per tensor, per row, or per rectangle of weights. The scale multiplies, also where it is called <c>weight_scale_inv</c>.</summary>
/// <remarks>Sources: transformers finegrained_fp8.py, compressed-tensors <c>float-quantized</c>, ModelOpt FP8, torchao Float8Tensor.</remarks>
public sealed class ScaledWeight : StoredWeight
{
    private readonly TensorHeader codes;
    private readonly TensorReader reader;
    private readonly Lazy<float[]> scales;
    private readonly long rowsOfMatrix;
    private readonly long blockRows;
    private readonly int blockColumns;

    /// <summary>Rows and columns of scales of one matrix.</summary>
    private readonly long scaleRows;
    private readonly long scaleColumns;

    /// <param name="block">The side of the squares that share a scale; null where a tensor or a row does.</param>
    /// <exception cref="CheckpointFormatException">There is no arrangement of so many scales.</exception>
    internal ScaledWeight(ParameterStorage storage, TensorHeader codes, TensorHeader scale, int? block, TensorReader reader) : base(storage, codes.Dimensions)
    {
        (this.codes, this.reader) = (codes, reader);
        rowsOfMatrix = Dimensions.Length > 1 ? Dimensions[^2] : 1;
        var matrices = rowsOfMatrix == 0 ? 0 : Rows / rowsOfMatrix;
        (blockRows, var columns) = block is { } side ? (side, side)
            : scale.Elements == 1 || scale.Elements == matrices ? (rowsOfMatrix, RowLength)
            : (1, RowLength);
        blockColumns = (int)Math.Clamp(columns, 1, int.MaxValue);
        (scaleRows, scaleColumns) = (Units(rowsOfMatrix, Math.Max(1, blockRows)), Units(RowLength, blockColumns));
        IsOne = scale.Elements == 1;
        if (codes.Strides is not null || !IsOne && scale.Elements != checked(matrices * scaleRows * scaleColumns))
            throw SideTensor.Bad(scale, $"scales that fit {codes.Format} [{string.Join(", ", codes.Dimensions)}]", $"[{string.Join(", ", scale.Dimensions)}]");
        scales = new(() => SideTensor.Floats(reader, scale));
    }

    /// <summary>FP8 of either kind.</summary>
    public NumberFormat CodeFormat => codes.Format;

    /// <summary>Columns that share a scale.</summary>
    public int GroupLength => blockColumns;

    /// <summary>The codes of rows [<paramref name="firstRow"/>, …) and the scales of one of them after the other.</summary>
    /// <param name="rows">Codes: a whole number of rows.</param>
    /// <param name="rowScales">(rows, ⌈columns / <see cref="GroupLength"/>⌉).</param>
    /// <exception cref="ArgumentException">The lengths do not fit each other, or the range leaves the parameter.</exception>
    public void ReadCodes(long firstRow, Span<byte> rows, Span<float> rowScales)
    {
        var count = rows.Length / RowLength;
        if (rows.Length % RowLength != 0 || rowScales.Length != count * scaleColumns || firstRow < 0 || firstRow > Rows - count)
            throw new ArgumentException($"{rows.Length} codes and {rowScales.Length} scales from row {firstRow} on are no rows of '{Name}'", nameof(rows));
        reader.Read(codes, firstRow * RowLength, rows);
        for (var at = 0; at < rowScales.Length; at++)
            rowScales[at] = ScaleOf(firstRow + at / scaleColumns, at % scaleColumns);
    }

    /// <summary>Whether one scale serves all, also several matrices.</summary>
    private bool IsOne { get; }

    protected override void DecodeRows(long firstRow, Span<float> values)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(values.Length);
        try
        {
            var bytes = buffer.AsSpan(0, values.Length);
            reader.Read(codes, firstRow * RowLength, bytes);
            ElementCodec.Decode(codes.Format, bytes, values);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        for (var row = firstRow; !values.IsEmpty; row++)
        {
            Scale(row, values[..(int)RowLength]);
            values = values[(int)RowLength..];
        }
    }

    private void Scale(long row, Span<float> values)
    {
        for (var at = 0; at < values.Length; at += blockColumns)
        {
            var scale = ScaleOf(row, at / blockColumns);
            foreach (ref var value in values[at..Math.Min(values.Length, at + blockColumns)])
                value *= scale;
        }
    }

    private float ScaleOf(long row, long group)
    {
        if (IsOne)
            return scales.Value[0];
        var (matrix, inside) = Math.DivRem(row, rowsOfMatrix);
        return scales.Value[(matrix * scaleRows + inside / blockRows) * scaleColumns + group];
    }

    private static long Units(long amount, long unit) => (amount + unit - 1) / unit;
}

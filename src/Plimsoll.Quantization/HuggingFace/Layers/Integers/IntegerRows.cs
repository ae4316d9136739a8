using Plimsoll.Numerics.Quantizers;

namespace Plimsoll.Quantization.HuggingFace.Layers.Integers;

/// <summary>Rows of a layer as integers: w = scale · (code − zero), a scale and a zero point for each group of columns.</summary>
/// <param name="codes">(rows, columns), from 0 to 2^bits − 1.</param>
/// <param name="scales">(rows, groups), numbers of the format that stores them.</param>
/// <param name="zeros">(rows, groups), as codes count.</param>
internal readonly ref struct IntegerRows(int columns, int groupLength, Span<byte> codes, Span<float> scales, Span<byte> zeros)
{
    public int Columns => columns;

    public int GroupLength => groupLength;

    public int Groups { get; } = (columns + groupLength - 1) / groupLength;

    public int Count { get; } = codes.Length / columns;

    public Span<byte> Codes { get; } = codes;

    public Span<float> Scales { get; } = scales;

    public Span<byte> Zeros { get; } = zeros;

    public Span<byte> Row(int row) => Codes.Slice(row * columns, columns);

    /// <summary>The columns of a group, counted from the start of a row.</summary>
    public Range ColumnsOf(int group) => (group * groupLength)..Math.Min(columns, (group + 1) * groupLength);

    /// <summary>Some of the rows.</summary>
    public IntegerRows Slice(int firstRow, int count) => new(
        columns, groupLength, Codes.Slice(firstRow * columns, count * columns), Scales.Slice(firstRow * Groups, count * Groups), Zeros.Slice(firstRow * Groups, count * Groups));

    public void CopyTo(IntegerRows other)
    {
        Codes.CopyTo(other.Codes);
        Scales.CopyTo(other.Scales);
        Zeros.CopyTo(other.Zeros);
    }

    /// <summary>What the rows stand for.</summary>
    /// <param name="values">Receives (rows, columns).</param>
    public void Decode(Span<float> values)
    {
        for (var at = 0; at < Scales.Length; at++)
        {
            var (row, range) = (at / Groups, ColumnsOf(at % Groups));
            GroupQuantizer.Decode(Row(row)[range], Scales[at], Zeros[at], values.Slice(row * columns, columns)[range]);
        }
    }
}

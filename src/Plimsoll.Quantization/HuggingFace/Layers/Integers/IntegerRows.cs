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
}

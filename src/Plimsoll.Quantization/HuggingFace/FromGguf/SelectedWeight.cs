using System.Collections.Immutable;
using Plimsoll.Checkpoints.Data;
using Plimsoll.Checkpoints.Layouts;

namespace Plimsoll.Quantization.HuggingFace.FromGguf;

/// <summary>Rows of a stored parameter under another name, in another order, or some of them: one expert of a stack.</summary>
/// <param name="rowOf">From the number of a row here to that of the row it is.</param>
internal sealed class SelectedWeight(ParameterStorage storage, ImmutableArray<long> dimensions, StoredWeight source, Func<long, long> rowOf) : StoredWeight(storage, dimensions)
{
    protected override void DecodeRows(long firstRow, Span<float> values) => RowRuns.ForEach(firstRow, (int)(values.Length / RowLength), rowOf, values, (int)RowLength, source.ReadRows);
}

/// <summary>The same of integers with scales.</summary>
/// <inheritdoc cref="SelectedWeight" path="/param"/>
internal sealed class SelectedIntegers : IntegerWeight
{
    private readonly IntegerWeight source;
    private readonly Func<long, long> rowOf;

    public SelectedIntegers(ParameterStorage storage, ImmutableArray<long> dimensions, IntegerWeight source, Func<long, long> rowOf)
        : base(storage, dimensions, source.Bits, source.GroupLength) => (this.source, this.rowOf) = (source, rowOf);

    public override (int Lowest, int Highest) ZeroPoints => source.ZeroPoints;

    public override bool HasScalesOf(Numerics.NumberFormat format) => source.HasScalesOf(format);

    protected override void DecodeRows(long firstRow, Span<float> values) => RowRuns.ForEach(firstRow, (int)(values.Length / RowLength), rowOf, values, (int)RowLength, source.ReadRows);

    protected override void Read(long firstRow, int rows, Span<short> integers, Span<float> scales)
    {
        for (var row = 0; row < rows; row++)
            source.ReadIntegers(rowOf(firstRow + row), integers.Slice(row * (int)RowLength, (int)RowLength), scales.Slice(row * Groups, Groups));
    }
}

/// <summary>Reads neighbours that stay neighbours at once.</summary>
internal static class RowRuns
{
    public delegate void Reader(long firstRow, Span<float> values);

    public static void ForEach(long firstRow, int count, Func<long, long> rowOf, Span<float> values, int rowLength, Reader read)
    {
        for (var at = 0; at < count;)
        {
            var from = rowOf(firstRow + at);
            var run = 1;
            while (at + run < count && rowOf(firstRow + at + run) == from + run)
                run++;
            read(from, values.Slice(at * rowLength, run * rowLength));
            at += run;
        }
    }
}

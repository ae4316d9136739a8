using System.Collections.Immutable;

namespace Plimsoll.Quantization.Gguf.Rows;

/// <summary>Rows of another tensor, by number; neighbours that stay neighbours are read at once.</summary>
internal sealed class SelectedRows(TensorRows source, ImmutableArray<long> dimensions, Func<long, long> rowOf) : TensorRows(dimensions)
{
    public override StoredRow? OriginOf(long row) => RowLength == source.RowLength ? source.OriginOf(rowOf(row)) : null;

    public override void Read(long firstRow, Span<float> values)
    {
        var length = (int)RowLength;
        var count = values.Length / length;
        for (var at = 0; at < count;)
        {
            var from = rowOf(firstRow + at);
            var run = 1;
            while (at + run < count && rowOf(firstRow + at + run) == from + run)
                run++;
            source.Read(from, values.Slice(at * length, run * length));
            at += run;
        }
    }
}

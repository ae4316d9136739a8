using System.Buffers;
using System.Collections.Immutable;

namespace Plimsoll.Quantization.Gguf.Rows;

/// <summary>The elements of another tensor in the same order, cut into rows of another length.</summary>
internal sealed class ReshapedRows : TensorRows
{
    private readonly TensorRows source;

    public ReshapedRows(TensorRows source, ImmutableArray<long> dimensions) : base(dimensions)
    {
        if (Elements != source.Elements)
            throw new ArgumentException($"{source.Elements} elements are not [{string.Join(", ", dimensions)}]", nameof(dimensions));
        this.source = source;
    }

    public override StoredRow? OriginOf(long row) => RowLength == source.RowLength ? source.OriginOf(row) : null;

    public override void Read(long firstRow, Span<float> values)
    {
        if (RowLength == source.RowLength)
        {
            source.Read(firstRow, values);
            return;
        }
        var (first, skipped) = Math.DivRem(firstRow * RowLength, source.RowLength);
        var rows = (skipped + values.Length + source.RowLength - 1) / source.RowLength;
        var whole = ArrayPool<float>.Shared.Rent(checked((int)(rows * source.RowLength)));
        try
        {
            source.Read(first, whole.AsSpan(0, (int)(rows * source.RowLength)));
            whole.AsSpan((int)skipped, values.Length).CopyTo(values);
        }
        finally
        {
            ArrayPool<float>.Shared.Return(whole);
        }
    }
}

using System.Collections.Immutable;

namespace Plimsoll.Quantization.Gguf.Rows;

/// <summary>Equal tensors one behind the other along a new first dimension: the experts of a layer.</summary>
internal sealed class StackedRows(ImmutableArray<TensorRows> parts) : TensorRows([parts.Length, .. parts[0].Dimensions])
{
    public override StoredRow? OriginOf(long row) => parts[(int)(row / parts[0].Rows)].OriginOf(row % parts[0].Rows);

    public override void Read(long firstRow, Span<float> values)
    {
        var rowsOfPart = parts[0].Rows;
        for (var row = firstRow; !values.IsEmpty;)
        {
            var (part, inside) = Math.DivRem(row, rowsOfPart);
            var count = (int)Math.Min(rowsOfPart - inside, values.Length / RowLength);
            var piece = (int)(count * RowLength);
            parts[(int)part].Read(inside, values[..piece]);
            values = values[piece..];
            row += count;
        }
    }
}

using System.Buffers;

namespace Plimsoll.Quantization.Gguf.Rows;

/// <summary>The matrices of another tensor transposed, (…, rows, columns) to (…, columns, rows).</summary>
/// <remarks>
/// A row here is a column there, so whatever is asked for, a whole matrix is read. Bands of columns are cut from each piece of rows as it passes, which keeps
/// memory small; the price is that a matrix is read once per call.
/// </remarks>
internal sealed class TransposedRows(TensorRows source) : TensorRows([.. source.Dimensions[..^2], source.Dimensions[^1], source.Dimensions[^2]])
{
    /// <summary>Elements of the source that are held at once.</summary>
    private const int PieceElements = 1 << 20;

    public override void Read(long firstRow, Span<float> values)
    {
        var columns = source.RowLength;
        while (!values.IsEmpty)
        {
            var (matrix, firstColumn) = Math.DivRem(firstRow, columns);
            var count = (int)Math.Min(columns - firstColumn, values.Length / RowLength);
            ReadColumns(matrix, (int)firstColumn, count, values[..(int)(count * RowLength)]);
            values = values[(int)(count * RowLength)..];
            firstRow += count;
        }
    }

    private void ReadColumns(long matrix, int firstColumn, int count, Span<float> values)
    {
        var (rows, columns) = ((int)RowLength, (int)source.RowLength);
        var atOnce = Math.Clamp(PieceElements / columns, 1, rows);
        var piece = ArrayPool<float>.Shared.Rent(checked(atOnce * columns));
        try
        {
            for (var row = 0; row < rows; row += atOnce)
            {
                var height = Math.Min(atOnce, rows - row);
                source.Read(matrix * rows + row, piece.AsSpan(0, height * columns));
                for (var column = 0; column < count; column++)
                {
                    for (var inside = 0; inside < height; inside++)
                        values[column * rows + row + inside] = piece[inside * columns + firstColumn + column];
                }
            }
        }
        finally
        {
            ArrayPool<float>.Shared.Return(piece);
        }
    }
}

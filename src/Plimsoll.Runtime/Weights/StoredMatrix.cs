using System.Buffers;
using Plimsoll.Checkpoints.Data;
using Plimsoll.Numerics.Linear;

namespace Plimsoll.Runtime.Weights;

/// <summary>A matrix that stays in its file: a tile of rows is read and decoded whenever it is multiplied, in whatever layout it is stored.</summary>
/// <remarks>For what no product takes (<see cref="PackedLayouts"/>). Right and small, not fast: a product costs a pass over the file's cached pages.</remarks>
/// <param name="firstRow">The first row of the weight that belongs to the matrix.</param>
/// <param name="order">Which row of the weight each row of the matrix is; null for the same order.</param>
internal sealed class StoredMatrix(StoredWeight weight, long firstRow, int rows, int[]? order = null) : PackedMatrix
{
    private const int TileRows = 32;

    public override int Rows => rows;

    public override int Columns => (int)weight.RowLength;

    /// <summary>None of its own: the pages belong to the file.</summary>
    public override long Bytes => 0;

    public override void Multiply(ReadOnlySpan<float> inputs, int count, Span<float> outputs, ComputePool pool)
    {
        var tile = ArrayPool<float>.Shared.Rent(TileRows * Columns);
        for (var row = 0; row < rows; row += TileRows)
        {
            var taken = Math.Min(TileRows, rows - row);
            var values = tile.AsSpan(0, taken * Columns);
            if (order is null)
                weight.ReadRows(firstRow + row, values);
            else
            {
                for (var each = 0; each < taken; each++)
                    ReadRow(row + each, values.Slice(each * Columns, Columns));
            }
            for (var token = 0; token < count; token++)
            {
                var input = inputs.Slice(token * Columns, Columns);
                for (var each = 0; each < taken; each++)
                    outputs[token * rows + row + each] = Vectors.Dot(input, values.Slice(each * Columns, Columns));
            }
        }
        ArrayPool<float>.Shared.Return(tile);
    }

    public override void ReadRow(int row, Span<float> values) => weight.ReadRows(firstRow + (order is null ? row : order[row]), values[..Columns]);
}

using Plimsoll.Checkpoints.Data;
using Plimsoll.Numerics.Linear;

namespace Plimsoll.Runtime.Weights;

/// <summary>From stored weights to matrices that can be multiplied, at their packed size.</summary>
internal static class MatrixLoader
{
    /// <param name="order">Which stored row each row is; null for the same order.</param>
    public static PackedMatrix Load(WeightReader reader, StoredWeight weight, int[]? order = null) => new StoredMatrix(weight, 0, checked((int)weight.Rows), order);

    /// <summary>Stored as (inputs, outputs).</summary>
    public static PackedMatrix LoadTransposed(WeightReader reader, StoredWeight weight)
    {
        var (rows, columns) = ((int)weight.RowLength, (int)weight.Rows);
        var stored = new float[rows * columns];
        weight.ReadRows(0, stored);
        var turned = new float[stored.Length];
        for (var column = 0; column < columns; column++)
        {
            for (var row = 0; row < rows; row++)
                turned[row * columns + column] = stored[column * rows + row];
        }
        return new FloatMatrix(turned, rows);
    }

    /// <summary>(count, rows, columns) as <paramref name="count"/> matrices.</summary>
    public static IEnumerable<PackedMatrix> LoadStack(WeightReader reader, StoredWeight stack, int count)
    {
        var rows = checked((int)(stack.Rows / count));
        return Enumerable.Range(0, count).Select(index => new StoredMatrix(stack, (long)index * rows, rows));
    }

    private sealed class FloatMatrix(float[] values, int rows) : PackedMatrix
    {
        public override int Rows => rows;

        public override int Columns => values.Length / rows;

        public override long Bytes => 4L * values.Length;

        public override void Multiply(ReadOnlySpan<float> inputs, int count, Span<float> outputs, ComputePool pool)
        {
            for (var token = 0; token < count; token++)
            {
                for (var row = 0; row < rows; row++)
                    outputs[token * rows + row] = Vectors.Dot(inputs.Slice(token * Columns, Columns), values.AsSpan(row * Columns, Columns));
            }
        }

        public override void ReadRow(int row, Span<float> output) => values.AsSpan(row * Columns, Columns).CopyTo(output);
    }
}

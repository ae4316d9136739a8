using System.Buffers;

namespace Plimsoll.Numerics.Linear;

/// <summary>A matrix whose columns were sorted, as those of GPTQ with act-order are by their groups: inputs are brought into that order.</summary>
/// <param name="order">Which column of the weights each column of <paramref name="inner"/> is.</param>
public sealed class ReorderedMatrix(PackedMatrix inner, int[] order) : PackedMatrix
{
    public override int Rows => inner.Rows;

    public override int Columns => inner.Columns;

    public override long Bytes => inner.Bytes + order.LongLength * sizeof(int);

    public override void Multiply(ReadOnlySpan<float> inputs, int count, Span<float> outputs, ComputePool pool)
    {
        if (count < 0 || inputs.Length != (long)count * Columns)
            throw new ArgumentException($"{count} vectors of {Columns} inputs, not {inputs.Length} values", nameof(inputs));
        var rented = ArrayPool<float>.Shared.Rent(inputs.Length);
        for (var first = 0; first < inputs.Length; first += Columns)
        {
            var source = inputs.Slice(first, Columns);
            var target = rented.AsSpan(first, Columns);
            for (var column = 0; column < order.Length; column++)
                target[column] = source[order[column]];
        }
        inner.Multiply(rented.AsSpan(0, inputs.Length), count, outputs, pool);
        ArrayPool<float>.Shared.Return(rented);
    }

    public override void ReadRow(int row, Span<float> values)
    {
        var sorted = ArrayPool<float>.Shared.Rent(Columns);
        inner.ReadRow(row, sorted.AsSpan(0, Columns));
        for (var column = 0; column < order.Length; column++)
            values[order[column]] = sorted[column];
        ArrayPool<float>.Shared.Return(sorted);
    }

    public override void Dispose()
    {
        inner.Dispose();
        base.Dispose();
    }
}

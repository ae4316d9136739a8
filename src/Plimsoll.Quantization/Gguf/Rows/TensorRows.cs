using System.Collections.Immutable;
using Plimsoll.Checkpoints.Data;

namespace Plimsoll.Quantization.Gguf.Rows;

/// <summary>The numbers of a tensor that is going to be written, row by row, wherever they come from and however they are rearranged on the way.</summary>
/// <remarks>Reading is safe from several threads. A row is the last dimension; a vector is one row.</remarks>
internal abstract class TensorRows
{
    protected TensorRows(ImmutableArray<long> dimensions)
    {
        Dimensions = dimensions;
        RowLength = dimensions.IsEmpty ? 1 : dimensions[^1];
        Rows = dimensions.Take(Math.Max(0, dimensions.Length - 1)).Aggregate(1L, (product, size) => checked(product * size));
    }

    /// <summary>Row-major, slowest first.</summary>
    public ImmutableArray<long> Dimensions { get; }

    public long RowLength { get; }

    public long Rows { get; }

    public long Elements => checked(Rows * RowLength);

    /// <summary>Reads rows [<paramref name="firstRow"/>, …) into <paramref name="values"/>, whose length is a whole number of rows.</summary>
    public abstract void Read(long firstRow, Span<float> values);

    /// <summary>The row of a stored parameter that a row is, number by number; null where it is put together or computed.</summary>
    public virtual StoredRow? OriginOf(long row) => null;

    /// <summary>The same elements in the same order, cut into other rows.</summary>
    public TensorRows Reshape(params ImmutableArray<long> dimensions) => dimensions.AsSpan().SequenceEqual(Dimensions.AsSpan()) ? this : new ReshapedRows(this, dimensions);

    /// <summary>Rows of this one in another order, or some of them.</summary>
    /// <param name="rowOf">From the number of a row here to that of the row it is.</param>
    public TensorRows Select(ImmutableArray<long> dimensions, Func<long, long> rowOf) => new SelectedRows(this, dimensions, rowOf);

    /// <summary>The elements of a vector, or the rows of a matrix, in another order.</summary>
    public TensorRows Reorder(Func<long, long> sourceOf) => Dimensions.Length == 1
        ? Reshape(Dimensions[0], 1).Select([Dimensions[0], 1], sourceOf).Reshape(Dimensions)
        : Select(Dimensions, sourceOf);

    /// <summary>The last two dimensions exchanged.</summary>
    public TensorRows Transpose() => new TransposedRows(this);

    public TensorRows Plus(float addend) => new ShiftedRows(this, addend);
}

/// <summary>A row of a stored parameter.</summary>
internal readonly record struct StoredRow(StoredWeight Weight, long Row);

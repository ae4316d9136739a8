namespace Plimsoll.Numerics.Linear;

/// <summary>The weights of a linear layer as they are multiplied: packed, (rows, columns) = (out_features, in_features).</summary>
/// <remarks>Memory stays at the packed size: no path unpacks more than a tile at a time.</remarks>
public abstract class PackedMatrix : IDisposable
{
    public abstract int Rows { get; }

    public abstract int Columns { get; }

    /// <summary>Bytes that the weights occupy in memory, the copy of a repacked layout included; a mapped file counts where it is used in place.</summary>
    public abstract long Bytes { get; }

    /// <summary>y = x · Wᵀ for <paramref name="count"/> vectors.</summary>
    /// <param name="inputs">(count, columns), row-major.</param>
    /// <param name="outputs">(count, rows), row-major; overwritten.</param>
    /// <param name="pool">The threads that share the work.</param>
    public abstract void Multiply(ReadOnlySpan<float> inputs, int count, Span<float> outputs, ComputePool pool);

    /// <summary>Unpacks one row, as an embedding needs it.</summary>
    /// <param name="values">(columns).</param>
    public abstract void ReadRow(int row, Span<float> values);

    public virtual void Dispose() => GC.SuppressFinalize(this);
}

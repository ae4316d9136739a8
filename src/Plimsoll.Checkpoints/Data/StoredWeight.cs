using System.Collections.Immutable;
using Plimsoll.Checkpoints.Layouts;

namespace Plimsoll.Checkpoints.Data;

/// <summary>One parameter of a checkpoint, read as floats whatever its layout: plain numbers, ggml blocks, GPTQ words, NF4 nibbles.</summary>
/// <remarks>Reading is safe from several threads. A row is the last dimension; a vector is one row.</remarks>
public abstract class StoredWeight(ParameterStorage storage, ImmutableArray<long> dimensions)
{
    /// <summary>The tensors that hold it.</summary>
    public ParameterStorage Storage { get; } = storage;

    /// <summary>The name that the parameter has unquantized: <c>model.layers.0.mlp.up_proj.weight</c>.</summary>
    public string Name => Storage.Name;

    /// <summary>Row-major, (out_features, in_features) for a linear layer.</summary>
    public ImmutableArray<long> Dimensions { get; } = dimensions;

    public long RowLength { get; } = dimensions.IsEmpty ? 1 : dimensions[^1];

    public long Rows { get; } = dimensions.Take(Math.Max(0, dimensions.Length - 1)).Aggregate(1L, (product, size) => checked(product * size));

    /// <summary>Decodes rows [<paramref name="firstRow"/>, …) into <paramref name="values"/>, whose length is a whole number of rows.</summary>
    /// <exception cref="ArgumentException">The range leaves the parameter or is no whole number of rows.</exception>
    /// <exception cref="CheckpointFormatException">The stored bytes contradict the layout.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public void ReadRows(long firstRow, Span<float> values)
    {
        if (values.IsEmpty)
            return;
        ArgumentOutOfRangeException.ThrowIfNegative(firstRow);
        if (values.Length % RowLength != 0 || firstRow > Rows - values.Length / RowLength)
            throw new ArgumentException($"{values.Length} values from row {firstRow} on are no rows of '{Name}' ({Rows} × {RowLength})", nameof(values));
        DecodeRows(firstRow, values);
    }

    /// <summary>Decodes rows that have been checked to be there.</summary>
    protected abstract void DecodeRows(long firstRow, Span<float> values);
}

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

    public long RowLength => Dimensions.IsEmpty ? 1 : Dimensions[^1];

    public long Rows => Dimensions.Take(Math.Max(0, Dimensions.Length - 1)).Aggregate(1L, (product, size) => checked(product * size));

    /// <summary>Decodes rows [<paramref name="firstRow"/>, …) into <paramref name="values"/>, whose length is a whole number of rows.</summary>
    /// <exception cref="CheckpointFormatException">The stored bytes contradict the layout.</exception>
    public abstract void ReadRows(long firstRow, Span<float> values);
}

using System.Collections.Immutable;
using Plimsoll.Numerics;

namespace Plimsoll.Checkpoints;

/// <summary>Where one stored tensor lies and how it is encoded; its data is not read.</summary>
/// <param name="Name">The name in the file.</param>
/// <param name="Format">The storage format of its elements.</param>
/// <param name="Dimensions">Row-major dimensions, slowest first, as PyTorch prints them. (GGUF stores them reversed; the reader turns them round.)</param>
/// <param name="File">The file that holds the data.</param>
/// <param name="Offset">Byte offset of the first element from the start of that file, also inside a PyTorch archive.</param>
/// <param name="Bytes">Bytes of the data in that file, without padding; for a strided view, from its first element to its last.</param>
public sealed record TensorHeader(string Name, NumberFormat Format, ImmutableArray<long> Dimensions, string File, long Offset, long Bytes)
{
    /// <summary>The number of stored elements; 1 for a scalar.</summary>
    public long Elements => Dimensions.Contains(0) ? 0 : Dimensions.Aggregate(1L, (product, size) => checked(product * size));

    /// <summary>Elements to step for one step along each dimension, where that differs from row-major order; only PyTorch archives have such views.</summary>
    public ImmutableArray<long>? Strides { get; init; }
}

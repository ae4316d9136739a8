using System.Collections.Immutable;
using Plimsoll.Numerics;

namespace Plimsoll.Quantization.Output;

/// <summary>One tensor of a file that is going to be written.</summary>
/// <param name="Name">The name in the file.</param>
/// <param name="Format">The storage format of its elements.</param>
/// <param name="Dimensions">Row-major, slowest first.</param>
/// <param name="Bytes">Bytes of its data, without padding.</param>
public sealed record OutputTensor(string Name, NumberFormat Format, ImmutableArray<long> Dimensions, long Bytes)
{
    public static OutputTensor Create(string name, NumberFormat format, params ImmutableArray<long> dimensions) =>
        new(name, format, dimensions, format.BytesFor(dimensions.Aggregate(1L, (product, size) => checked(product * size))));
}

using System.Collections.Immutable;
using Plimsoll.Numerics;
using Plimsoll.Planning.Weights.Gguf;

namespace Plimsoll.Quantization.Allocation;

/// <summary>A type for every tensor that may be quantized.</summary>
/// <param name="Bytes">Bytes of all tensors of the file, padding included.</param>
public sealed record GgufAllocation(ImmutableArray<AllocatedTensor> Tensors, long Bytes)
{
    /// <summary>What all tensors together are expected to cost, in nats.</summary>
    public double Divergence => Tensors.Sum(tensor => tensor.Divergence);

    /// <summary>The types by name of the tensor.</summary>
    public IReadOnlyDictionary<string, NumberFormat> Types => Tensors.ToDictionary(tensor => tensor.Tensor.Name, tensor => tensor.Type, StringComparer.Ordinal);
}

/// <summary>What one tensor got.</summary>
/// <param name="Divergence">What it is expected to cost: KL divergence in nats.</param>
public sealed record AllocatedTensor(GgufTensor Tensor, NumberFormat Type, double Divergence)
{
    public long Weights => Tensor.Rows * Tensor.RowLength;

    public double BitsPerWeight => 8.0 * Tensor.Bytes(Type) / Weights;
}

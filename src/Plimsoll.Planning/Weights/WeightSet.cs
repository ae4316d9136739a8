using System.Collections.Immutable;
using Plimsoll.Models;
using Plimsoll.Numerics;

namespace Plimsoll.Planning.Weights;

/// <summary>The weights of a model in a particular precision: what each tensor costs in memory once loaded.</summary>
/// <param name="Precision">The precision as the user would type it: <c>bf16</c>, <c>gguf:q4_k_m</c>, <c>awq:4bit-g128</c>.</param>
public sealed record WeightSet(string Precision, ImmutableArray<WeightTensor> Tensors)
{
    public Confidence Confidence { get; init; } = Confidence.High;

    /// <summary>What the user should know, for example that a plain <c>int4</c> stores no scales and no engine loads it so.</summary>
    public ImmutableArray<string> Notes { get; init; } = [];

    public ByteSize Total => new(Tensors.Sum(tensor => tensor.Bytes));

    /// <summary>Stored bits per parameter, scales included.</summary>
    public double BitsPerWeight => 8.0 * Total.Bytes / Tensors.Sum(tensor => tensor.Shape.Elements);
}

/// <summary>One tensor (or one per expert, see <see cref="TensorShape.Count"/>) in its storage format.</summary>
/// <param name="Format">The format of the codes; scales and zero points are counted in <paramref name="Bytes"/>.</param>
/// <param name="Bytes">Bytes of all <see cref="TensorShape.Count"/> tensors, side tensors included.</param>
public sealed record WeightTensor(TensorShape Shape, NumberFormat Format, long Bytes)
{
    /// <summary>Bytes that computing one token reads: the chosen experts only.</summary>
    public long ActiveBytes => Shape.Count == Shape.ActiveCount ? Bytes : Bytes / Shape.Count * Shape.ActiveCount;
}

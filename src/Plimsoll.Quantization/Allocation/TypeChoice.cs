using System.Collections.Immutable;
using Plimsoll.Numerics;

namespace Plimsoll.Quantization.Allocation;

/// <summary>A type that a tensor may get.</summary>
/// <param name="Bytes">Bytes that the tensor takes then, padding included.</param>
/// <param name="Divergence">What it is expected to cost: KL divergence from the unquantized model, in nats.</param>
public sealed record TypeChoice(NumberFormat Type, long Bytes, double Divergence);

/// <summary>The types that one tensor may get.</summary>
/// <param name="Name">llama.cpp's name: <c>blk.0.ffn_up.weight</c>.</param>
/// <param name="Choices">At least one.</param>
public sealed record TensorChoices(string Name, ImmutableArray<TypeChoice> Choices);

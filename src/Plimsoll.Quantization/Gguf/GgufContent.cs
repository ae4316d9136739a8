using System.Collections.Immutable;
using Plimsoll.Checkpoints.Data;
using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Planning.Weights.Gguf;
using Plimsoll.Quantization.Gguf.Rows;

namespace Plimsoll.Quantization.Gguf;

/// <summary>A tensor to write, before it has a type.</summary>
/// <param name="Rows">Its numbers, as llama.cpp wants them.</param>
/// <param name="Sources">The stored parameters that they come from; empty for computed ones.</param>
internal sealed record GgufSource(GgufTensor Tensor, TensorRows Rows, ImmutableArray<StoredWeight> Sources);

/// <summary>What a GGUF file is going to hold, before the recipe decides the types.</summary>
/// <param name="Tensors">By layer, then by name: the order in which llama.cpp's rules count.</param>
/// <param name="Facts">What the rules ask for.</param>
/// <param name="Architecture">The value of <c>general.architecture</c>.</param>
/// <param name="Stored">The weights of a source that is a GGUF file itself: what is not quantized keeps its type, and what has the wanted one is copied. Null for other sources.</param>
internal sealed record GgufContent(string Architecture, GgufKeyValues Keys, ImmutableArray<GgufSource> Tensors, GgufMixFacts Facts, ImmutableArray<string> Notes, WeightReader? Stored);

using System.Collections.Immutable;

namespace Plimsoll.Checkpoints.PyTorch;

/// <summary>What a file written by torch.save describes: its tensors, and the plain values beside them.</summary>
/// <param name="Path">The file, for messages.</param>
/// <param name="Metadata">Plain values under the keys that lead to them, such as <c>model_args.dim</c>.</param>
public sealed record PyTorchArchive(string Path, ImmutableArray<TensorHeader> Tensors, ImmutableDictionary<string, string> Metadata);

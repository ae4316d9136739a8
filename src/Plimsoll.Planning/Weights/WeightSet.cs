using System.Collections.Immutable;
using Plimsoll.Checkpoints;
using Plimsoll.Models;
using Plimsoll.Numerics;
using Plimsoll.Planning.Weights.Stored;

namespace Plimsoll.Planning.Weights;

/// <summary>The weights of a model in a particular precision: what each tensor costs in memory once loaded.</summary>
/// <param name="Precision">The precision as the user would type it: <c>bf16</c>, <c>gguf:q4_k_m</c>, <c>awq:4bit-g128</c>.</param>
public sealed record WeightSet(string Precision, ImmutableArray<WeightTensor> Tensors)
{
    public Confidence Confidence { get; init; } = Confidence.High;

    /// <summary>What the user should know, for example that a plain <c>int4</c> stores no scales and no engine loads it so.</summary>
    public ImmutableArray<string> Notes { get; init; } = [];

    public ByteSize Total => new(Tensors.Sum(tensor => tensor.Bytes));

    /// <summary>Parameters that these tensors hold.</summary>
    public long Parameters => Tensors.Sum(tensor => tensor.Shape.Elements);

    /// <summary>Stored bits per parameter, scales included.</summary>
    public double BitsPerWeight => 8.0 * Total.Bytes / Parameters;

    /// <summary>Bytes that computing one token reads: all but the experts that are not chosen.</summary>
    public ByteSize Active => new(Tensors.Sum(tensor => tensor.ActiveBytes));

    /// <summary>The same tensors as the data section of a GGUF file: each padded to the alignment. The header with the vocabulary comes on top.</summary>
    /// <remarks>Source: llama.cpp ggml/src/gguf.cpp; the default alignment is 32 bytes.</remarks>
    public ByteSize GgufDataSize(int alignment = 32)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(alignment, 1);
        return new(Tensors.Sum(tensor => checked((tensor.Bytes + alignment - 1) / alignment * alignment)));
    }

    /// <summary>What a real checkpoint stores for each parameter, to the byte: packed codes, scales, zero points and indices together.</summary>
    /// <param name="tensors">The headers of all files of the checkpoint, Hugging Face or GGUF.</param>
    /// <param name="ggufFileType"><c>general.file_type</c> of a GGUF file, which names the precision; otherwise it is told from the tensors.</param>
    public static WeightSet FromCheckpoint(ModelShape shape, IReadOnlyList<TensorHeader> tensors, long? ggufFileType = null) =>
        StoredWeights.Of(shape, tensors, ggufFileType);

    /// <summary>Bytes of the tensors with this role.</summary>
    public ByteSize Of(TensorRole role) => new(Tensors.Where(tensor => tensor.Shape.Role == role).Sum(tensor => tensor.Bytes));
}

/// <summary>One tensor (or one per expert, see <see cref="TensorShape.Count"/>) in its storage format.</summary>
/// <param name="Format">The format of the codes; scales and zero points are counted in <paramref name="Bytes"/>.</param>
/// <param name="Bytes">Bytes of all <see cref="TensorShape.Count"/> tensors, side tensors included.</param>
public sealed record WeightTensor(TensorShape Shape, NumberFormat Format, long Bytes)
{
    /// <summary>The name in the stored file where it differs from that of the model: <c>blk.3.ffn_down.weight</c>.</summary>
    public string? StoredName { get; init; }

    /// <summary>Bytes that computing one token reads: the chosen experts only.</summary>
    public long ActiveBytes => Shape.Count == Shape.ActiveCount ? Bytes : Bytes / Shape.Count * Shape.ActiveCount;
}

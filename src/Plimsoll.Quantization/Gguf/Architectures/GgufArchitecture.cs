using System.Collections.Immutable;
using Plimsoll.Checkpoints.Tokenizers;
using Plimsoll.Planning.Weights.Gguf;
using Plimsoll.Quantization.Gguf.Rows;

namespace Plimsoll.Quantization.Gguf.Architectures;

/// <summary>A family of models as llama.cpp stores it: its keys, and what happens to its tensors on the way.</summary>
/// <remarks>
/// The names and shapes of the tensors come from <see cref="GgufLayout"/>; here is what their numbers need. Facts: llama.cpp v0.5.0, conversion/*.py, and what
/// src/models/*.cpp asks for.
/// </remarks>
internal abstract class GgufArchitecture
{
    /// <summary>The value of <c>general.architecture</c>.</summary>
    public abstract string Name { get; }

    /// <summary>The model types of <c>config.json</c> that become it.</summary>
    public abstract ImmutableArray<string> ModelTypes { get; }

    /// <summary>Writes the keys of the architecture. The general rule takes every fact that decoders share from where configurations have it.</summary>
    public virtual void WriteKeys(GgufModel model, ArchitectureKeys keys) => DecoderKeys.Write(model, keys);

    /// <summary>The numbers of a tensor as llama.cpp wants them.</summary>
    /// <param name="tensor">The tensor to write.</param>
    /// <param name="source">The parameter that it is, or is a part of, as it is stored; experts stacked.</param>
    public virtual TensorRows Arrange(GgufTensor tensor, TensorRows source, GgufModel model) => source;

    /// <summary>Tensors that are not in the checkpoint but follow from the configuration, by name.</summary>
    public virtual IEnumerable<(string Name, ImmutableArray<float> Values)> ComputedTensors(GgufModel model) => [];

    /// <summary>Whether llama.cpp multiplies the scale of a tensor (<c>attn_q.scale</c>) into its product: in attention and head everywhere, else where its graph says so.</summary>
    public virtual bool AppliesScale(GgufTensor tensor) => tensor.Category is GgufCategory.AttentionQ or GgufCategory.AttentionK or GgufCategory.AttentionV
        or GgufCategory.AttentionQkv or GgufCategory.AttentionOutput or GgufCategory.Output
        || (ScalesFeedForward && tensor.Category is GgufCategory.FeedForwardUp or GgufCategory.FeedForwardGate or GgufCategory.FeedForwardDown);

    /// <summary>Source: llama.cpp src/models/*.cpp, the arguments of build_ffn and build_moe_ffn.</summary>
    protected virtual bool ScalesFeedForward => false;

    /// <summary>The vocabulary with what only this architecture knows about it.</summary>
    public virtual Vocabulary Adapt(Vocabulary vocabulary, GgufModel model) => vocabulary;
}

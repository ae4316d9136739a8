using System.Collections.Immutable;

namespace Plimsoll.Models;

/// <summary>What a tensor is for. Precision schemes, placement and activation formulas ask this, never the name.</summary>
public enum TensorRole
{
    Embedding,
    PositionEmbedding,
    OutputHead,
    Norm,
    Attention,
    Recurrent,
    FeedForward,
    Router,
    Expert,
    SharedExpert,

    /// <summary>A vision or audio tower, and the projector into the language model.</summary>
    Tower,

    /// <summary>Layers for next-token prediction (MTP) behind the last decoder layer.</summary>
    NextToken,
    Other,
}

/// <summary>One tensor of an architecture, or the same tensor of every routed expert of a layer.</summary>
public sealed record TensorShape
{
    /// <summary>
    /// The name in a Hugging Face checkpoint (or in the GGUF file it was read from); <c>*</c> stands for the expert number when <see cref="Count"/> is above 1.
    /// A name without <c>*</c> and a <see cref="Count"/> above 1 is one stacked tensor whose first dimension is the expert.
    /// </summary>
    public required string Name { get; init; }

    /// <summary>Dimensions of one tensor, slowest first: (out_features, in_features) for a linear layer.</summary>
    public required ImmutableArray<long> Dimensions { get; init; }

    public required TensorRole Role { get; init; }

    /// <summary>The decoder layer it belongs to; null outside the layers.</summary>
    public int? Layer { get; init; }

    /// <summary>How many such tensors there are: the experts of the layer, else 1.</summary>
    public int Count { get; init; } = 1;

    /// <summary>How many of them one text token uses; 0 for a tower and for next-token prediction.</summary>
    public int ActiveCount { get; init; } = 1;

    /// <summary>The weight of a linear layer: what weight quantization converts.</summary>
    public bool IsLinear { get; init; }

    /// <summary>Elements of all <see cref="Count"/> tensors together.</summary>
    public long Elements => checked(ElementsOfOne * Count);

    public long ActiveElements => checked(ElementsOfOne * ActiveCount);

    public long ElementsOfOne => Dimensions.Aggregate(1L, (product, size) => checked(product * size));
}

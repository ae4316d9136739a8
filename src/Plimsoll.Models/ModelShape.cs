using System.Collections.Immutable;

namespace Plimsoll.Models;

/// <summary>What an architecture is: its layers and every tensor by name and shape, known without reading a weight.</summary>
public sealed record ModelShape
{
    /// <summary>The name under which the model was asked for or found, for example <c>meta-llama/Llama-3.1-8B</c>.</summary>
    public required string Id { get; init; }

    /// <summary>The model type as Hugging Face spells it: <c>llama</c>, <c>qwen3_moe</c>, <c>deepseek_v3</c>.</summary>
    public required string Architecture { get; init; }

    public required int HiddenSize { get; init; }

    /// <summary>Rows of the embedding matrix, padding included.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>The longest context the model was made for, in tokens; null when the configuration does not say.</summary>
    public int? MaxContext { get; init; }

    /// <summary>The output head is the embedding matrix; it is stored once.</summary>
    public required bool TiedEmbeddings { get; init; }

    /// <summary>The layers that every token passes, in order. Next-token-prediction (MTP) layers are tensors, not layers of this list.</summary>
    public required ImmutableArray<LayerShape> Layers { get; init; }

    public required ImmutableArray<TensorShape> Tensors { get; init; }

    /// <summary>The number format in which the configuration says the weights are published (<c>bfloat16</c>, …); null when it does not say.</summary>
    public string? PublishedType { get; init; }

    /// <summary>How sure the shape is. Low when an unknown architecture was planned as another one.</summary>
    public Confidence Confidence { get; init; } = Confidence.High;

    /// <summary>Where the facts come from: <c>catalog</c>, <c>config.json</c>, <c>gguf</c>, <c>bare size</c>.</summary>
    public required string Source { get; init; }

    /// <summary>What a reader of the plan should know: ignored fields, assumptions.</summary>
    public ImmutableArray<string> Notes { get; init; } = [];

    /// <summary>The exact number of stored parameters.</summary>
    public long Parameters => Tensors.Sum(tensor => tensor.Elements);

    /// <summary>Elements of keys and values that one more token adds to the caches of all layers, while it is inside every window.</summary>
    public long KeyValueElementsPerToken => Layers.Sum(layer => layer.Attention?.CachedElements ?? 0);

    /// <summary>Parameters that take part in computing one text token: all but experts that are not chosen, towers and next-token layers.</summary>
    public long ActiveParameters => Tensors.Sum(tensor => tensor.ActiveElements);
}

/// <summary>How much a figure can be trusted.</summary>
public enum Confidence
{
    Low,
    Medium,
    High,
}

/// <summary>One decoder layer. A layer mixes tokens by attention, by a recurrence, or by both side by side (Falcon-H1), and may have no feed-forward part.</summary>
public sealed record LayerShape
{
    public AttentionShape? Attention { get; init; }

    public RecurrentShape? Recurrent { get; init; }

    public FeedForwardShape? FeedForward { get; init; }
}

/// <summary>Attention of one layer, as the KV cache and the scores see it.</summary>
public sealed record AttentionShape
{
    public required int Heads { get; init; }

    public required int KeyValueHeads { get; init; }

    /// <summary>Elements of one key head, and of one value head.</summary>
    public required int KeyHeadDim { get; init; }

    public required int ValueHeadDim { get; init; }

    /// <summary>The sliding window in tokens; null for attention over the whole context.</summary>
    public int? Window { get; init; }

    /// <summary>True for chunked attention (Llama 4): the window restarts at multiples of its length instead of sliding.</summary>
    public bool Chunked { get; init; }

    /// <summary>The layer reads the keys and values of an earlier layer and owns none (Gemma 3n, Gemma 4).</summary>
    public bool SharesKeyValues { get; init; }

    /// <summary>Multi-head latent attention (DeepSeek): what is cached instead of keys and values.</summary>
    public LatentAttentionShape? Latent { get; init; }

    /// <summary>
    /// Elements per token of context that sparse attention keeps beside the ordinary cache: the keys of an indexer (DeepSeek-V3.2, MiniMax M3) or pooled keys
    /// (DeepSeek-V4). Not part of <see cref="CachedElements"/>: whether and how an engine keeps them was not verified.
    /// </summary>
    public double SparseCacheElements { get; init; }

    /// <summary>Elements that one token adds to the cache of this layer: keys and values, or the latent vector; none where they belong to an earlier layer.</summary>
    public long CachedElements => SharesKeyValues ? 0
        : Latent is { } latent ? latent.KeyValueRank + latent.RopeDim
        : (long)KeyValueHeads * (KeyHeadDim + ValueHeadDim);
}

/// <summary>The compressed cache of multi-head latent attention: <see cref="KeyValueRank"/> + <see cref="RopeDim"/> elements per token and layer.</summary>
public sealed record LatentAttentionShape(int KeyValueRank, int RopeDim, int? QueryRank)
{
    /// <summary>A GGUF file of the older layout, for which llama.cpp caches the keys and values of every head instead of the compressed ones.</summary>
    public bool FileCachesEveryHead { get; init; }
}

/// <summary>The fixed-size state of a recurrent layer, per sequence.</summary>
/// <param name="Kind">The recurrence: <c>mamba</c>, <c>mamba2</c>, <c>gated-delta</c>, <c>short-conv</c>, <c>kda</c>, <c>rwkv</c>.</param>
/// <param name="ConvolutionElements">Elements of the convolution (or token-shift) state.</param>
/// <param name="StateElements">Elements of the recurrent state proper.</param>
public sealed record RecurrentShape(string Kind, long ConvolutionElements, long StateElements);

/// <summary>The feed-forward part of one layer.</summary>
/// <param name="Width">The intermediate width of the dense part; 0 when every token goes to experts only.</param>
/// <param name="Gated">A gate projection beside the up projection (SwiGLU, GeGLU).</param>
/// <param name="Experts">The mixture of experts; null for a dense layer.</param>
public sealed record FeedForwardShape(int Width, bool Gated, ExpertShape? Experts = null);

/// <param name="Count">Routed experts of the layer.</param>
/// <param name="UsedPerToken">Routed experts that one token visits.</param>
/// <param name="Width">The intermediate width of one routed expert.</param>
/// <param name="SharedWidth">The intermediate width of the shared experts together; 0 when there are none.</param>
public sealed record ExpertShape(int Count, int UsedPerToken, int Width, int SharedWidth);

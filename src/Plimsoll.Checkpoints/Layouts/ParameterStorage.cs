using System.Collections.Immutable;
using Plimsoll.Checkpoints.HuggingFace;

namespace Plimsoll.Checkpoints.Layouts;

/// <summary>One stored tensor of a parameter.</summary>
/// <param name="Part">What it is (<c>qweight</c>, <c>weight_scale</c>); empty for the parameter itself.</param>
public readonly record struct StoredPart(string Part, TensorHeader Header);

/// <summary>What the tensors of a <see cref="ParameterStorage"/> are.</summary>
public enum StorageKind
{
    Parameter,

    /// <summary>What PyTorch saves beside the parameters: causal masks, rotary frequencies, counters, states of random numbers.</summary>
    Buffer,

    /// <summary>Scales for a quantized KV cache.</summary>
    CacheScale,

    /// <summary>Scales or zero points whose weight is not there.</summary>
    Orphan,

    /// <summary>A second name for the bytes of an earlier parameter (tied weights of PyTorch).</summary>
    Alias,

    /// <summary>A second copy of a parameter that the configuration says is another one: the tied output head.</summary>
    Copy,

    /// <summary>The state of an optimizer in a training checkpoint.</summary>
    Optimizer,
}

/// <summary>One parameter of a model and every tensor that a checkpoint stores for it.</summary>
/// <remarks>Sizes come from the shapes of the tensors, so that a configuration that contradicts them can be noticed.</remarks>
public sealed record ParameterStorage
{
    /// <summary>The name that the parameter has unquantized.</summary>
    public required string Name { get; init; }

    public required ImmutableArray<StoredPart> Parts { get; init; }

    public StorageKind Kind { get; init; }

    public required StorageLayout Layout { get; init; }

    /// <summary>The dimensions of the parameter, (out_features, in_features) for a linear layer; null when the stored shapes do not tell.</summary>
    public ImmutableArray<long>? Dimensions { get; init; }

    /// <summary>The number of weights, packed ones counted one by one; null when the stored shapes do not tell.</summary>
    public long? Elements { get; init; }

    /// <summary>Bits of one code, where the layout packs codes.</summary>
    public int? Bits { get; init; }

    /// <summary>Weights of a row that share a scale, as the scales' shape says; null for none, or for one scale per row or tensor.</summary>
    public int? GroupSize { get; init; }

    /// <summary>The scheme that the configuration gives the module; null when it gives none.</summary>
    public QuantizationScheme? Scheme { get; init; }

    /// <summary>The name in the table of types: <c>BF16</c>, <c>Q4_K</c>, <c>GPTQ 4-bit, group 128</c>.</summary>
    public required string TypeName { get; init; }

    /// <summary>The tensor with the most bytes: the codes of a quantized parameter.</summary>
    public TensorHeader Main => Parts.MaxBy(part => part.Header.Bytes).Header;

    public long Bytes => Parts.Sum(part => part.Header.Bytes);

    public bool IsQuantized => Layout != StorageLayout.Plain;

    /// <summary>The module as configurations name it.</summary>
    public string Module => new TensorName(Name, "").Module;

    /// <summary>The tensor that is this part; null when there is none.</summary>
    public TensorHeader? Find(string part)
    {
        foreach (var stored in Parts)
        {
            if (stored.Part == part)
                return stored.Header;
        }
        return null;
    }

    /// <summary>The first of these parts that is there.</summary>
    public TensorHeader? FindAny(params ReadOnlySpan<string> parts)
    {
        foreach (var part in parts)
        {
            if (Find(part) is { } header)
                return header;
        }
        return null;
    }
}

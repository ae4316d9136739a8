using System.Collections.Immutable;
using Plimsoll.Models;
using Plimsoll.Numerics;

namespace Plimsoll.Planning.Weights.Linear;

/// <summary>A quantized Hugging Face checkpoint: the linear layers of the decoder converted, everything else in 16 bits.</summary>
internal sealed class LinearScheme : PrecisionScheme
{
    public override string Name => Method.Name;

    public override PrecisionFamily Family => PrecisionFamily.HuggingFace;

    public override string Summary => Method.Summary;

    public required LinearMethod Method { get; init; }

    public override WeightSet Apply(ModelShape shape)
    {
        var rest = Plain(shape);
        var notes = ImmutableArray.CreateBuilder<string>();
        if (Method.Note is { } note)
            notes.Add(note);
        var hasExperts = shape.Tensors.Any(tensor => tensor.Role == TensorRole.Expert);
        var tensors = shape.Tensors.Select(tensor => Convert(tensor, shape.HiddenSize, hasExperts) ?? new(tensor, rest, rest.BytesFor(tensor.Elements))).ToImmutableArray();
        var (left, bytes) = LeftAlone(tensors, hasExperts);
        if (left > 0)
            notes.Add($"{left} linear layers ({bytes}) stay in 16 bits because {Method.Requirement}.");
        if (!tensors.Any(tensor => tensor.Format == Method.Codes))
            notes.Add($"Nothing in this model is converted by {Name}.");
        return new(Name, tensors) { Confidence = shape.Confidence, Notes = notes.ToImmutable() };
    }

    /// <summary>The 16-bit format of what stays: the published one, else BF16.</summary>
    public static NumberFormat Plain(ModelShape shape) =>
        NumberFormats.Find(shape.PublishedType ?? "") is { BlockLength: 1, BlockBytes: 2 } published ? published : NumberFormats.Bf16;

    /// <summary>A linear layer inside the decoder. The router decides with few weights and a one-output gate has too few; no method converts them.</summary>
    public static bool IsInDecoder(TensorShape tensor) => tensor.IsLinear && !tensor.Dimensions.Contains(1)
        && tensor.Role is TensorRole.Attention or TensorRole.FeedForward or TensorRole.Expert or TensorRole.SharedExpert or TensorRole.Recurrent or TensorRole.NextToken;

    /// <summary>The tensor in this method; null when it stays as it is.</summary>
    public WeightTensor? Convert(TensorShape tensor, long hiddenSize, bool hasExperts) =>
        Converts(tensor, hasExperts) && LinearStack.Of(tensor, hiddenSize) is { } stack && Method.BytesOfLayer(stack.Out, stack.In) is { } bytes
            ? new(tensor, Method.Codes, checked(bytes * stack.Count))
            : null;

    private bool Converts(TensorShape tensor, bool hasExperts) =>
        IsInDecoder(tensor) && (tensor.Role != TensorRole.NextToken || Method.IncludesNextToken) && Method.Scope switch
        {
            LinearScope.AllLinear => true,
            LinearScope.NoExperts => tensor.Role != TensorRole.Expert,
            LinearScope.ExpertsWhereThereAreAny => tensor.Role == TensorRole.Expert || !hasExperts,
            _ => throw new InvalidOperationException($"No rule for {Method.Scope}."),
        };

    private (int Count, ByteSize Bytes) LeftAlone(ImmutableArray<WeightTensor> tensors, bool hasExperts)
    {
        var left = tensors.Where(tensor => Converts(tensor.Shape, hasExperts) && tensor.Format != Method.Codes).ToList();
        return (left.Count, new(left.Sum(tensor => tensor.Bytes)));
    }
}

/// <summary>Which linear layers of the decoder a method converts.</summary>
internal enum LinearScope
{
    AllLinear,

    /// <summary>Routed experts that are one fused parameter are no linear layers to this library.</summary>
    NoExperts,

    /// <summary>Only the routed experts; in a dense model every linear layer.</summary>
    ExpertsWhereThereAreAny,
}

/// <summary>What a quantization method stores for one linear layer.</summary>
internal sealed record LinearMethod
{
    /// <summary>The name as typed: <c>gptq:4bit-g128</c>.</summary>
    public required string Name { get; init; }

    public required string Summary { get; init; }

    /// <summary>The format of the codes.</summary>
    public required NumberFormat Codes { get; init; }

    /// <summary>Bytes of one layer (out_features, in_features) with all its side tensors; null where the method cannot convert the layer.</summary>
    public required Func<long, long, long?> BytesOfLayer { get; init; }

    /// <summary>What a layer must satisfy, to complete the sentence "… stay in 16 bits because".</summary>
    public string Requirement { get; init; } = "their dimensions do not fit";

    public LinearScope Scope { get; init; }

    /// <summary>The layers for next-token prediction are converted too.</summary>
    public bool IncludesNextToken { get; init; }

    public string? Note { get; init; }

    /// <summary>A sentence on what is not counted to the byte; null where all is.</summary>
    public string? Approximation { get; init; }

    public LinearScheme ToScheme() => new() { Method = this };

    /// <summary>Whole units: ⌈amount / unit⌉.</summary>
    public static long Units(long amount, long unit) => (amount + unit - 1) / unit;
}

using System.Collections.Immutable;
using Plimsoll.Models;
using Plimsoll.Planning.Engines;

namespace Plimsoll.Planning.Training;

/// <summary>What one layer keeps for its backward pass, in bytes per token on one rank.</summary>
/// <param name="Norms">Inputs of norms, with FP32 copies where the framework makes them.</param>
/// <param name="LinearInputs">Inputs of matrix products whose weights are trained, and of adapters.</param>
/// <param name="Attention">Query, key, value and output of the attention kernel, and its softmax statistics.</param>
/// <param name="FeedForward">Gate, up and their product; routed tokens of experts.</param>
/// <param name="Recurrent">Projections and convolutions of recurrent layers.</param>
/// <param name="ScoresPerToken">Eager attention only: bytes per token and per token of the sequence.</param>
internal sealed record LayerActivations(long Norms, long LinearInputs, long Attention, long FeedForward, long Recurrent, long ScoresPerToken)
{
    public long Saved => checked(Norms + LinearInputs + Attention + FeedForward + Recurrent);
}

/// <summary>Derives the activations of every layer from the shapes of its tensors.</summary>
/// <remarks>
/// A product keeps the input of a weight that is trained, an element-wise product both its factors, an activation function its input, attention
/// q, k, v, output and one FP32 number per head and token. Source: the derivative formulas of PyTorch (derivatives.yaml) applied to the modules of
/// the framework; checked with the copies per layer that stas00/ml-engineering measured on six models.
/// </remarks>
internal sealed class ActivationModel
{
    private static readonly string[] OutputProjections = ["o_proj", "out_proj", "dense", "wo", "c_proj", "out_lin", "o"];
    private static readonly string[] DownProjections = ["down_proj", "w2", "fc2", "dense_4h_to_h", "c_proj", "output_linear", "fc_out", "down"];

    private readonly TrainingRequest request;
    private readonly bool compiled;
    private readonly bool trainsBase;
    private readonly int width;
    private readonly int tensor;
    private readonly long hidden;

    public ActivationModel(TrainingRequest request, ImmutableArray<AdapterTarget> targets)
    {
        this.request = request;
        compiled = request.Compiled || request.Trainer.Says("fused_layers", "yes");
        trainsBase = request.Method == TrainingMethod.Full;
        width = request.ComputeBytes;
        tensor = request.Parallel.Tensor;
        hidden = Placement.DivideUp(request.Model.HiddenSize, request.Parallel.Sequence ? tensor : 1);
        var tensors = request.Model.Tensors.ToLookup(shape => shape.Layer);
        var adapted = targets.ToLookup(target => target.Tensor.Layer);
        Layers = [.. request.Model.Layers.Select((layer, index) => Derive(layer, [.. tensors[index]], [.. adapted[index]]))];
    }

    public ImmutableArray<LayerActivations> Layers { get; }

    /// <summary>Bytes per token of the hidden state between two layers: what a checkpoint keeps.</summary>
    public long LayerInput => width * hidden;

    /// <summary>Bytes per token of the gradients that are alive inside a layer.</summary>
    public long Working => (long)(width * ActivationWidth.PerToken(request.Model, tensor) * request.Trainer.Number("gradient_factor"));

    private LayerActivations Derive(LayerShape layer, ImmutableArray<TensorShape> tensors, ImmutableArray<AdapterTarget> targets) => new(
        Norms(layer, tensors),
        checked(trainsBase ? LinearInputs(layer, tensors) : AdapterInputs(layer, targets)),
        layer.Attention is { } attention ? Attention(attention) : 0,
        layer.FeedForward is { } part ? FeedForward(part, targets) : 0,
        layer.Recurrent is null ? 0 : Recurrent(tensors),
        request.FlashAttention || layer.Attention is not { } eager ? 0 : Divide((long)eager.Heads * (width == 4 ? 8 : 6)));

    private long Norms(LayerShape layer, ImmutableArray<TensorShape> tensors)
    {
        var sum = 0L;
        foreach (var norm in tensors.Where(shape => shape.Role == TensorRole.Norm && shape.Name.EndsWith("weight", StringComparison.Ordinal)))
        {
            var isLayerNorm = tensors.Any(shape => shape.Name == norm.Name[..^6] + "bias");
            var elements = NormWidth(norm, layer);
            var upcast = request.Trainer.Says("norm", "upcast") && !isLayerNorm && !compiled;
            sum += elements * (upcast ? 4 + (trainsBase ? NormalizedBytes : 0) : width);
        }
        return sum;
    }

    /// <summary>Gemma multiplies by its weight in FP32, the others in 16 bits.</summary>
    private int NormalizedBytes => request.Model.Architecture.StartsWith("gemma", StringComparison.Ordinal) ? 4 : width;

    private long NormWidth(TensorShape norm, LayerShape layer)
    {
        if (norm.Elements == request.Model.HiddenSize && !norm.Name.Contains("q_norm", StringComparison.Ordinal) && !norm.Name.Contains("k_norm", StringComparison.Ordinal))
            return hidden;
        if (layer.Attention is { } attention && norm.Elements == attention.KeyHeadDim)
            return Divide((long)(norm.Name.Contains('q', StringComparison.Ordinal) && !norm.Name.Contains("k_", StringComparison.Ordinal) ? attention.Heads : attention.KeyValueHeads) * attention.KeyHeadDim);
        return Divide(norm.Elements);
    }

    /// <summary>Full training: the normalized input of attention and feed-forward, and the input of the down projection. The output projection reads what attention keeps anyway.</summary>
    private long LinearInputs(LayerShape layer, ImmutableArray<TensorShape> tensors)
    {
        var parallelBlocks = tensors.Count(shape => shape.Role == TensorRole.Norm && shape.Elements == request.Model.HiddenSize && shape.Name.EndsWith("weight", StringComparison.Ordinal)) < 2;
        var mixers = layer.Attention is null && layer.Recurrent is null ? 0 : 1;
        var inputs = hidden * (parallelBlocks ? 1 : mixers + (layer.FeedForward is null ? 0 : 1));
        if (layer.FeedForward is { } part)
            inputs += Divide(Products(part));
        return width * inputs;
    }

    /// <summary>Adapters keep their own inputs; a frozen matrix keeps none, except in older bitsandbytes kernels.</summary>
    private long AdapterInputs(LayerShape layer, ImmutableArray<AdapterTarget> targets)
    {
        var adapterBytes = AdapterBytes(request);
        var casts = request.Trainer.Says("adapter_input", "cast") && adapterBytes != width;
        var dropout = request.Trainer.Says("adapter_input", "dropout");
        var sum = 0L;
        if (request.Method == TrainingMethod.Qlora && request.Trainer.Says("quantized_input", "yes"))
            sum += width * (2 * hidden + (layer.FeedForward is { } part ? Divide(Products(part)) : 0));
        if (request.Adapter!.Keeps == AdapterKeeps.Output)
            return sum + targets.Sum(target => width * Divide(target.Out));
        foreach (var inputs in targets.GroupBy(InputOf))
        {
            var elements = inputs.Key is AdapterInput.Hidden or AdapterInput.FeedForwardHidden ? hidden : Divide(inputs.Max(target => target.In));
            var passes = inputs.First().Tensor.Role == TensorRole.Expert ? Math.Max(1, inputs.First().Tensor.ActiveCount) : 1;
            var kept = inputs.Key == AdapterInput.AttentionOutput ? 0 : width * elements;
            sum += passes * (casts ? adapterBytes * elements * inputs.Count() : dropout ? (width + 1) * elements : kept);
        }
        if (request.Adapter.Dora)
            sum += targets.Sum(target => Divide(target.Out) * (width + adapterBytes));
        return sum;
    }

    private long Attention(AttentionShape attention)
    {
        var expanded = request.Trainer.Says("key_values", "expanded") || attention.Latent is not null;
        long query = (long)attention.Heads * attention.KeyHeadDim, output = (long)attention.Heads * attention.ValueHeadDim;
        var keyValue = (expanded ? attention.Heads : attention.KeyValueHeads) * (long)(attention.KeyHeadDim + attention.ValueHeadDim);
        var copies = compiled ? 0 : request.Trainer.Number("layer_copies");
        var latent = attention.Latent is { } compressed ? compressed.KeyValueRank + compressed.RopeDim + (compressed.QueryRank ?? 0) : 0;
        var elements = Divide(query + keyValue + output + (copies >= 1 ? output : 0)) + (copies >= 2 ? hidden : 0) + latent;
        return width * elements + Divide(4L * attention.Heads);
    }

    private long FeedForward(FeedForwardShape part, ImmutableArray<AdapterTarget> targets)
    {
        var factors = part.Gated ? compiled ? 2 : 3 : 1;
        var dense = Divide((long)factors * part.Width);
        if (part.Experts is not { } experts)
            return width * dense;
        // Each chosen expert reads a copy of the token and its output is weighted; the router's logits and probabilities are FP32.
        var touched = trainsBase || targets.Any(target => target.Tensor.Role == TensorRole.Expert);
        var routed = experts.UsedPerToken * ((touched ? 2 : 1) * hidden + Divide((long)factors * experts.Width));
        return width * (dense + Divide((long)factors * experts.SharedWidth) + routed) + 8L * experts.Count;
    }

    private static long Products(FeedForwardShape part) =>
        part.Width + (part.Experts is { } experts ? experts.SharedWidth + (long)experts.UsedPerToken * experts.Width : 0);

    /// <summary>Projections before and after the convolution, and the scan in FP32: a bound, not a derivation for each kernel.</summary>
    private long Recurrent(ImmutableArray<TensorShape> tensors) =>
        Divide(tensors.Where(shape => shape is { Role: TensorRole.Recurrent, IsLinear: true } && shape.Dimensions.Length == 2).Sum(shape => shape.Dimensions[0])) * (width + 4) + width * hidden;

    private long Divide(long elements) => Placement.DivideUp(elements, tensor);

    private static AdapterInput InputOf(AdapterTarget target)
    {
        var name = AdapterPlacement.ModuleName(target.Tensor);
        return target.Tensor.Role switch
        {
            TensorRole.Attention when OutputProjections.Contains(name) => AdapterInput.AttentionOutput,
            TensorRole.Attention or TensorRole.Recurrent => AdapterInput.Hidden,
            TensorRole.Expert => DownProjections.Contains(name) ? AdapterInput.ExpertProduct : AdapterInput.ExpertHidden,
            _ => DownProjections.Contains(name) ? AdapterInput.Product : AdapterInput.FeedForwardHidden,
        };
    }

    /// <summary>Bytes of one adapter parameter: as asked, or as the framework does.</summary>
    public static int AdapterBytes(TrainingRequest request) => request.Adapter?.Type switch
    {
        ComputeType.Fp32 => 4,
        not null => 2,
        null => request.Trainer.Says("adapter_type", "model") ? request.ComputeBytes : 4,
    };

    private enum AdapterInput
    {
        Hidden,
        AttentionOutput,
        FeedForwardHidden,
        Product,
        ExpertHidden,
        ExpertProduct,
    }
}

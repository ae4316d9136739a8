using static TorchSharp.torch;

namespace Plimsoll.Torch.Decoders;

/// <summary>y = x · Wᵀ + b, whatever W is made of: plain numbers, numbers with an adapter, quantized ones.</summary>
internal abstract class LinearLayer
{
    /// <summary>The weight as the checkpoint names it: <c>model.layers.0.mlp.up_proj.weight</c>.</summary>
    public abstract string Name { get; }

    /// <summary>Every tensor that it holds.</summary>
    public abstract IEnumerable<Weight> Weights { get; }

    /// <param name="input">(…, inputs).</param>
    /// <returns>(…, outputs).</returns>
    public abstract Tensor Apply(Tensor input);
}

/// <summary>A matrix of plain numbers, (outputs, inputs).</summary>
internal sealed class PlainLinear(Weight weight, Weight? bias) : LinearLayer
{
    public override string Name => weight.Name;

    public override IEnumerable<Weight> Weights => bias is null ? [weight] : [weight, bias];

    public Weight Matrix => weight;

    public Weight? Bias => bias;

    public override Tensor Apply(Tensor input) => nn.functional.linear(input, weight.Value, bias?.Value);
}

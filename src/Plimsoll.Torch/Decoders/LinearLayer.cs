using static TorchSharp.torch;

namespace Plimsoll.Torch.Decoders;

/// <summary>y = x · Wᵀ + b, whatever W is made of: plain numbers, numbers with an adapter, quantized ones.</summary>
internal abstract class LinearLayer : IDisposable
{
    /// <summary>The weight as the checkpoint names it: <c>model.layers.0.mlp.up_proj.weight</c>.</summary>
    public abstract string Name { get; }

    /// <summary>Every tensor of plain numbers that it holds.</summary>
    public abstract IEnumerable<Weight> Weights { get; }

    public abstract Weight? Bias { get; }

    /// <summary>Numbers that its tensors stand for.</summary>
    public virtual long Elements => Weights.Sum(weight => weight.Value.numel());

    /// <param name="input">(…, inputs).</param>
    /// <returns>(…, outputs).</returns>
    public abstract Tensor Apply(Tensor input);

    /// <summary>W as it multiplies now, (outputs, inputs); the caller's to free.</summary>
    public abstract Tensor Matrix();

    public virtual void Dispose()
    {
        foreach (var weight in Weights)
            weight.Dispose();
    }
}

/// <summary>A matrix of plain numbers, (outputs, inputs).</summary>
internal sealed class PlainLinear(Weight weight, Weight? bias) : LinearLayer
{
    public override string Name => weight.Name;

    public override IEnumerable<Weight> Weights => bias is null ? [weight] : [weight, bias];

    public override Weight? Bias => bias;

    public override Tensor Apply(Tensor input) => nn.functional.linear(input, weight.Value, bias?.Value);

    public override Tensor Matrix() => weight.Value.detach();
}

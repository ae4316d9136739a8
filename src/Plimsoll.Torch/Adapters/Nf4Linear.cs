using Plimsoll.Torch.Decoders;
using static TorchSharp.torch;

namespace Plimsoll.Torch.Adapters;

/// <summary>A frozen layer whose weights are kept in NF4 and decoded for each product, forward and backward (QLoRA, Dettmers 2023, arXiv 2305.14314).</summary>
internal sealed class Nf4Linear(string name, Nf4Matrix packed, Weight? bias, ScalarType type) : LinearLayer
{
    public override string Name => name;

    public override IEnumerable<Weight> Weights => bias is null ? [] : [bias];

    public override Weight? Bias => bias;

    public override long Elements => packed.Elements + base.Elements;

    public override Tensor Apply(Tensor input)
    {
        using var scope = NewDisposeScope();
        var product = FrozenProduct.apply(input, packed);
        return (bias is null ? product : product + bias.Value).MoveToOuterDisposeScope();
    }

    public override Tensor Matrix() => packed.Decode(type);

    public override void Dispose()
    {
        packed.Dispose();
        base.Dispose();
    }
}

/// <summary>x · Wᵀ with a W that needs no gradient: nothing is kept for the backward pass, where W is decoded again.</summary>
internal sealed class FrozenProduct : autograd.SingleTensorFunction<FrozenProduct>
{
    private const string Packed = "packed";

    public override string Name => nameof(FrozenProduct);

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (input, packed) = ((Tensor)vars[0], (Nf4Matrix)vars[1]);
        ctx.save_data(Packed, packed);
        using var matrix = packed.Decode(input.dtype);
        return nn.functional.linear(input, matrix);
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        var packed = (Nf4Matrix)ctx.get_data(Packed);
        using var matrix = packed.Decode(grad_output.dtype);
        return [grad_output.matmul(matrix), null!];
    }
}

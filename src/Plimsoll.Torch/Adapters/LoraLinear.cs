using Plimsoll.Torch.Decoders;
using static TorchSharp.torch;

namespace Plimsoll.Torch.Adapters;

/// <summary>A frozen layer with a low-rank adapter: y = W·x + scale · B·(A·x), A (rank, inputs) and B (outputs, rank) in FP32 (Hu et al. 2021, arXiv 2106.09685).</summary>
internal sealed class LoraLinear(LinearLayer frozen, Weight a, Weight b, double scale) : LinearLayer
{
    public override string Name => frozen.Name;

    public override IEnumerable<Weight> Weights => [.. frozen.Weights, a, b];

    public override Weight? Bias => frozen.Bias;

    public LinearLayer Frozen => frozen;

    public Weight A => a;

    public Weight B => b;

    /// <summary>A new adapter, which changes nothing: B is 0, A is uniform within 1 / sqrt(inputs), as PEFT draws it.</summary>
    public static LoraLinear Over(LinearLayer frozen, int outputs, int inputs, int rank, double alpha, Device device)
    {
        var bound = 1 / Math.Sqrt(inputs);
        var module = PeftNames.ModuleOf(frozen.Name);
        var a = (rand(rank, inputs, device: device) * (2 * bound)).sub_(bound).DetachFromDisposeScope();
        var b = zeros(outputs, rank, device: device).DetachFromDisposeScope();
        return new(frozen, new(PeftNames.A(module), a) { Learns = true }, new(PeftNames.B(module), b) { Learns = true }, alpha / rank);
    }

    public override Tensor Apply(Tensor input)
    {
        using var scope = NewDisposeScope();
        var change = nn.functional.linear(nn.functional.linear(input.to(ScalarType.Float32), a.Value), b.Value) * scale;
        return (frozen.Apply(input) + change.to(input.dtype)).MoveToOuterDisposeScope();
    }

    public override long Elements => frozen.Elements + a.Value.numel() + b.Value.numel();

    public override void Dispose()
    {
        frozen.Dispose();
        a.Dispose();
        b.Dispose();
    }

    public override Tensor Matrix()
    {
        using var scope = NewDisposeScope();
        var matrix = frozen.Matrix();
        return (matrix.to(ScalarType.Float32) + b.Value.mm(a.Value) * scale).to(matrix.dtype).MoveToOuterDisposeScope();
    }
}

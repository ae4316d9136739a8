using Plimsoll.Torch.Decoders;
using static TorchSharp.torch;

namespace Plimsoll.Torch.Optimizers;

/// <summary>Adafactor (Shazeer and Stern 2018, arXiv 1804.04235) without first moment and with a stated learning rate: of a matrix it keeps means of squares by row and by column.</summary>
/// <remarks>As transformers' Adafactor with beta1 None, scale_parameter and relative_step off: β₂ = 1 - t^-0.8, updates clipped to a root mean square of 1.</remarks>
internal sealed class Adafactor(IEnumerable<Weight> weights, bool masterWeights, double decay) : Optimizer(weights, masterWeights, decay)
{
    private const double Tiny = 1e-30, DecayRate = -0.8, ClipThreshold = 1;

    protected override void Update(Slot slot, Tensor value, Tensor gradient, double rate)
    {
        var beta2 = 1 - Math.Pow(Steps, DecayRate);
        var squares = gradient.square().add_(Tiny);
        var update = (value.dim() >= 2 ? Factored(slot, squares, beta2) : Whole(slot, squares, beta2)).mul_(gradient);
        var size = update.norm().item<float>() / Math.Sqrt(update.numel());
        DecayWeight(value, rate);
        value.add_(update, -rate / Math.Max(1, size / ClipThreshold));
    }

    /// <summary>1 / sqrt of the second moment, from its row and column means.</summary>
    private static Tensor Factored(Slot slot, Tensor squares, double beta2)
    {
        var rows = slot.State("rows", () => zeros(squares.shape[0], device: squares.device));
        var columns = slot.State("columns", () => zeros(squares.shape[1], device: squares.device));
        rows.mul_(beta2).add_(squares.mean([1]), 1 - beta2);
        columns.mul_(beta2).add_(squares.mean([0]), 1 - beta2);
        return (rows / rows.mean()).rsqrt().unsqueeze(1) * columns.rsqrt().unsqueeze(0);
    }

    private static Tensor Whole(Slot slot, Tensor squares, double beta2) =>
        slot.State("square", () => zeros_like(squares)).mul_(beta2).add_(squares, 1 - beta2).rsqrt();
}

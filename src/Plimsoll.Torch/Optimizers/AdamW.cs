using Plimsoll.Torch.Decoders;
using static TorchSharp.torch;

namespace Plimsoll.Torch.Optimizers;

/// <summary>Adam with decoupled weight decay (Loshchilov and Hutter, arXiv 1711.05101).</summary>
/// <remarks>m ← β₁m + (1-β₁)g; v ← β₂v + (1-β₂)g²; w ← w(1-ηλ) - η/(1-β₁ᵗ) · m / (√v/√(1-β₂ᵗ) + ε), in the order of operations of torch.optim.AdamW.</remarks>
internal sealed class AdamW(IEnumerable<Weight> weights, bool masterWeights, double decay, double beta1, double beta2) : Optimizer(weights, masterWeights, decay)
{
    internal const double Epsilon = 1e-8;

    protected override void Update(Slot slot, Tensor value, Tensor gradient, double rate)
    {
        DecayWeight(value, rate);
        UpdateMoments(slot, value, gradient, beta1, beta2, out var mean, out var square);
        Move(value, mean, square, Steps, rate, beta1, beta2);
    }

    internal static void UpdateMoments(Slot slot, Tensor value, Tensor gradient, double beta1, double beta2, out Tensor mean, out Tensor square)
    {
        mean = slot.State("mean", () => zeros_like(value));
        square = slot.State("square", () => zeros_like(value));
        mean.lerp_(gradient, 1 - beta1);
        square.mul_(beta2).addcmul_(gradient, gradient, 1 - beta2);
    }

    /// <summary>The move by corrected moments.</summary>
    internal static void Move(Tensor value, Tensor mean, Tensor square, int steps, double rate, double beta1, double beta2)
    {
        var (first, second) = (1 - Math.Pow(beta1, steps), 1 - Math.Pow(beta2, steps));
        var denominator = square.sqrt().div_(Math.Sqrt(second)).add_(Epsilon);
        value.addcdiv_(mean, denominator, -rate / first);
    }
}

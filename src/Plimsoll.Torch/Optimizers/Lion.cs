using Plimsoll.Torch.Decoders;
using static TorchSharp.torch;

namespace Plimsoll.Torch.Optimizers;

/// <summary>Lion (Chen et al. 2023, arXiv 2302.06675): w ← w(1-ηλ) - η sign(β₁m + (1-β₁)g); m ← β₂m + (1-β₂)g.</summary>
internal sealed class Lion(IEnumerable<Weight> weights, bool masterWeights, double decay, double beta1, double beta2) : Optimizer(weights, masterWeights, decay)
{
    protected override void Update(Slot slot, Tensor value, Tensor gradient, double rate)
    {
        var momentum = slot.State("momentum", () => zeros_like(value));
        DecayWeight(value, rate);
        value.add_((momentum * beta1).add_(gradient, 1 - beta1).sign_(), -rate);
        momentum.mul_(beta2).add_(gradient, 1 - beta2);
    }
}

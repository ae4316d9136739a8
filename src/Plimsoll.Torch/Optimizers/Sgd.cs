using Plimsoll.Torch.Decoders;
using static TorchSharp.torch;

namespace Plimsoll.Torch.Optimizers;

/// <summary>Gradient descent: b ← μb + g; w ← w(1-ηλ) - ηb, in the order of operations of torch.optim.SGD. Without momentum nothing is kept.</summary>
internal sealed class Sgd(IEnumerable<Weight> weights, bool masterWeights, double decay, double momentum) : Optimizer(weights, masterWeights, decay)
{
    protected override void Update(Slot slot, Tensor value, Tensor gradient, double rate)
    {
        DecayWeight(value, rate);
        var direction = momentum == 0 ? gradient : slot.State("momentum", () => zeros_like(value)).mul_(momentum).add_(gradient);
        value.add_(direction, -rate);
    }
}

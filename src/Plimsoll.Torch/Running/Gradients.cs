using Plimsoll.Torch.Decoders;
using static TorchSharp.torch;

namespace Plimsoll.Torch.Running;

/// <summary>The gradients of all weights together.</summary>
internal static class Gradients
{
    /// <summary>The square root of the sum of squares; not finite where one gradient is not.</summary>
    public static double Norm(IEnumerable<Weight> weights)
    {
        using var none = no_grad();
        var sum = 0.0;
        foreach (var weight in weights)
        {
            using var scope = NewDisposeScope();
            if (weight.Value.grad is { } gradient)
                sum += Math.Pow(linalg.vector_norm(gradient.to(ScalarType.Float32)).item<float>(), 2);
        }
        return Math.Sqrt(sum);
    }

    /// <summary>What gradients are multiplied by so that their norm is at most <paramref name="limit"/>, as torch.nn.utils.clip_grad_norm_ does it.</summary>
    public static double ClipFactor(double norm, double limit) => limit == 0 ? 1 : Math.Min(1, limit / (norm + 1e-6));

    public static void Forget(IEnumerable<Weight> weights)
    {
        foreach (var weight in weights)
            weight.ForgetGradient();
    }
}

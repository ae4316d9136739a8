using static TorchSharp.torch;

namespace Plimsoll.Torch.Decoders;

/// <summary>A tensor of the model under the name that its checkpoint has for it. Those that learn require a gradient.</summary>
internal sealed class Weight(string name, Tensor value) : IDisposable
{
    public string Name { get; } = name;

    public Tensor Value { get; } = value;

    public bool Learns
    {
        get => Value.requires_grad;
        set => Value.requires_grad = value;
    }

    /// <summary>Frees the gradient.</summary>
    public void ForgetGradient() => Value.grad = null;

    public void Dispose() => Value.Dispose();
}

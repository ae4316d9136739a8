using System.Runtime.InteropServices;
using Plimsoll.Quantization.Rounding;
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

    /// <summary>What the format that is trained for makes of the weight; null for its type alone.</summary>
    public TensorRounding? Rounding { get; set; }

    /// <summary>Takes over exact numbers, rounded as they are going to be stored.</summary>
    /// <remarks>
    /// The gradient of a rounded weight then moves the exact one: the straight-through estimator (Bengio et al. 2013, arXiv 1308.3432), as mixed precision has it
    /// for 16-bit weights.
    /// </remarks>
    /// <param name="exact">FP32, as long as <see cref="Value"/>.</param>
    public void Take(Tensor exact)
    {
        using var none = no_grad();
        using var scope = NewDisposeScope();
        if (Rounding is null)
        {
            Value.copy_(exact);
            return;
        }
        var source = exact.cpu();
        var rounded = empty_like(source);
        Rounding.Round(MemoryMarshal.Cast<byte, float>(source.bytes), MemoryMarshal.Cast<byte, float>(rounded.bytes), get_num_threads());
        Value.copy_(rounded);
    }

    /// <summary>Frees the gradient.</summary>
    public void ForgetGradient() => Value.grad = null;

    public void Dispose() => Value.Dispose();
}

using Plimsoll.Torch.Decoders;
using static TorchSharp.torch;

namespace Plimsoll.Torch.Running;

/// <summary>What training makes small: the cross entropy of the text.</summary>
internal class Objective(Decoder decoder) : IDisposable
{
    protected Decoder Decoder => decoder;

    /// <summary>The sum over the targets that count, in nats.</summary>
    /// <param name="tokens">(batch, length).</param>
    /// <param name="hidden">(batch, length, hidden), what the layers made of the tokens.</param>
    /// <param name="targets">(batch, length), <see cref="Decoder.Ignored"/> where nothing is to be predicted.</param>
    public virtual Tensor Loss(Tensor tokens, Tensor hidden, Tensor targets) => decoder.Loss(hidden, targets);

    public virtual void Dispose()
    {
    }
}

using Plimsoll.Torch.Decoders;
using static TorchSharp.torch;

namespace Plimsoll.Torch.Running;

/// <summary>What the text leads to matters, not its words: the KL divergence from the predictions of the original model (Hinton et al. 2015, arXiv 1503.02531).</summary>
/// <param name="original">Nothing in it learns; freed with the objective.</param>
internal sealed class Distillation(Decoder decoder, Decoder original) : Objective(decoder)
{
    /// <summary>Σ p · (ln p - ln q) over the vocabulary, p of the original and q of the decoder, at every target that counts.</summary>
    public override Tensor Loss(Tensor tokens, Tensor hidden, Tensor targets)
    {
        using var scope = NewDisposeScope();
        var wanted = Predictions(tokens);
        var made = nn.functional.log_softmax(Decoder.Logits(hidden), -1);
        var divergence = (wanted.exp() * (wanted - made)).sum(-1);
        return (divergence * targets.ne(Decoder.Ignored)).sum().MoveToOuterDisposeScope();
    }

    public override void Dispose() => original.Dispose();

    /// <summary>ln p, (batch, length, vocabulary).</summary>
    private Tensor Predictions(Tensor tokens)
    {
        using var none = no_grad();
        using var scope = NewDisposeScope();
        return nn.functional.log_softmax(original.Logits(original.Hidden(tokens)), -1).MoveToOuterDisposeScope();
    }
}

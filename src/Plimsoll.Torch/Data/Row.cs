namespace Plimsoll.Torch.Data;

/// <summary>One row of a batch.</summary>
/// <param name="Inputs">(length) tokens.</param>
/// <param name="Targets">(length) the token after each, or <see cref="Decoders.Decoder.Ignored"/>.</param>
internal sealed record Row(long[] Inputs, long[] Targets)
{
    /// <summary>Targets that count.</summary>
    public int Learnt { get; } = Targets.Count(target => target != Decoders.Decoder.Ignored);
}

namespace Plimsoll.Torch.Running;

/// <summary>What the loss is multiplied by so that FP16 gradients do not vanish: as large as it can be without overflow (Micikevicius et al. 2017, arXiv 1710.03740).</summary>
/// <remarks>The rule of torch.amp.GradScaler: from 2¹⁶, halved after an overflow, doubled after 2000 steps without one.</remarks>
internal sealed class LossScale(bool isUsed)
{
    private const double First = 1 << 16;
    private const int GrowthInterval = 2000;

    public double Value { get; private set; } = isUsed ? First : 1;

    /// <summary>Steps since the last change.</summary>
    public int Good { get; private set; }

    public bool IsUsed => isUsed;

    /// <summary>A step went well.</summary>
    public void Accept()
    {
        if (!isUsed || ++Good < GrowthInterval)
            return;
        (Value, Good) = (2 * Value, 0);
    }

    /// <summary>A gradient overflowed.</summary>
    /// <returns>Whether a smaller scale is worth a try: below 1 it is the numbers themselves that are too large.</returns>
    public bool Reject()
    {
        (Value, Good) = (Value / 2, 0);
        return Value >= 1;
    }

    public void Restore(double value, int good) => (Value, Good) = (value, good);
}

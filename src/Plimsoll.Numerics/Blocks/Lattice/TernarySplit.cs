using System.Numerics;
using Plimsoll.Numerics.Blocks.Lanes;

namespace Plimsoll.Numerics.Blocks.Lattice;

/// <summary>The best way so far to cut a sorted sub-block into the levels −1, 0 and 1, and the scale for it.</summary>
/// <remarks>The best maximizes (Σ w·q·x)² / Σ w·q². Splits are compared in ggml's order, because the roundings of equal ones decide.</remarks>
internal unsafe struct TernarySplit()
{
    private float score = float.MinValue;

    public float Scale { get; private set; }

    /// <summary>Elements of the level −1.</summary>
    public int First { get; private set; } = -1;

    /// <summary>Elements of the levels −1 and 0; −1 where no split is any good.</summary>
    public int Second { get; private set; } = -1;

    /// <summary>Which of the shifts.</summary>
    public int Variant { get; private set; }

    /// <summary>Offers the splits (first, second), (first, second + 1) … one per lane, each with some variants.</summary>
    /// <param name="sumsQX">Σ w·q·x by variant.</param>
    /// <param name="sumsQ2">Σ w·q² by variant.</param>
    /// <param name="lanes">How many lanes are splits.</param>
    public void Offer<T>(T* sumsQX, T* sumsQ2, int variants, int first, int second, int lanes) where T : unmanaged, ICodeLanes<T>
    {
        var best = T.Create(score);
        var isBetter = T.Create(0);
        for (var variant = 0; variant < variants; variant++)
        {
            isBetter |= T.GreaterThan(sumsQ2[variant], T.Create(0))
                & T.GreaterThan(sumsQX[variant] * sumsQX[variant], best * sumsQ2[variant]);
        }
        var better = T.Bits(isBetter) & (uint)((1L << lanes) - 1);
        for (; better != 0; better &= better - 1)
        {
            var lane = BitOperations.TrailingZeroCount(better);
            for (var variant = 0; variant < variants; variant++)
                Compare(((float*)(sumsQX + variant))[lane], ((float*)(sumsQ2 + variant))[lane], first, second + lane, variant);
        }
    }

    private void Compare(float sumQX, float sumQ2, int first, int second, int variant)
    {
        if (!(sumQ2 > 0 && sumQX * sumQX > score * sumQ2))
            return;
        Scale = sumQX / sumQ2;
        score = Scale * sumQX;
        (First, Second, Variant) = (first, second, variant);
    }
}

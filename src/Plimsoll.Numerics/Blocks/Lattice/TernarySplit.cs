using System.Numerics;
using System.Runtime.CompilerServices;
using Plimsoll.Numerics.Blocks.Lanes;

namespace Plimsoll.Numerics.Blocks.Lattice;

/// <summary>The best way so far to cut a sorted sub-block into the levels −1, 0 and 1, and the scale for it.</summary>
/// <remarks>The best maximizes (Σ w·q·x)² / Σ w·q². Splits are compared in ggml's order, because the roundings of equal ones decide.</remarks>
internal struct TernarySplit()
{
    /// <summary>(Σ w·q·x)² / Σ w·q², as ggml rounds it.</summary>
    public float Score { get; private set; } = float.MinValue;

    public float Scale { get; private set; }

    /// <summary>Elements of the level −1.</summary>
    public int First { get; private set; } = -1;

    /// <summary>Elements of the levels −1 and 0; −1 where no split is any good.</summary>
    public int Second { get; private set; } = -1;

    /// <summary>Which of the shifts.</summary>
    public int Variant { get; private set; }

    /// <summary>The lanes of splits that are better than the best so far.</summary>
    /// <param name="best">The best score so far, as <see cref="Score"/> gives it.</param>
    /// <param name="sumQX">Σ w·q·x.</param>
    /// <param name="sumQ2">Σ w·q².</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T IsBetter<T>(T best, T sumQX, T sumQ2) where T : unmanaged, ILanes<T> =>
        T.GreaterThan(sumQ2, T.Create(0)) & T.GreaterThan(sumQX * sumQX, best * sumQ2);

    /// <summary>Takes the best of the splits (first, second), (first, second + 1) … one per lane, each with some variants.</summary>
    /// <param name="better">The lanes in which some variant is better than the best so far, as bits.</param>
    /// <param name="sumsQX">Σ w·q·x by variant.</param>
    /// <param name="sumsQ2">Σ w·q² by variant.</param>
    public void Take<T>(uint better, ReadOnlySpan<T> sumsQX, ReadOnlySpan<T> sumsQ2, int first, int second) where T : unmanaged, ILanes<T>
    {
        for (; better != 0; better &= better - 1)
        {
            var lane = BitOperations.TrailingZeroCount(better);
            for (var variant = 0; variant < sumsQX.Length; variant++)
                Compare(LaneBytes.At(sumsQX[variant], lane), LaneBytes.At(sumsQ2[variant], lane), first, second + lane, variant);
        }
    }

    /// <summary>The bits of the lanes from a split on that are splits: the second cut is at most at the end.</summary>
    public static uint LanesOf<T>(int second, int length) where T : unmanaged, ILanes<T> => (uint)((1L << Math.Min(T.Count, length + 1 - second)) - 1);

    private void Compare(float sumQX, float sumQ2, int first, int second, int variant)
    {
        if (!(sumQ2 > 0 && sumQX * sumQX > Score * sumQ2))
            return;
        Scale = sumQX / sumQ2;
        Score = Scale * sumQX;
        (First, Second, Variant) = (first, second, variant);
    }
}

using System.Runtime.CompilerServices;
using Plimsoll.Numerics.Blocks.Lanes;

namespace Plimsoll.Numerics.Blocks.Lattice;

/// <summary>The working memory of IQ1 while a super-block is encoded.</summary>
internal unsafe struct TernaryWork
{
    public const int Length = 256;

    /// <summary>The longest sub-block, and what is read beyond its sums by whole registers.</summary>
    public const int MostSums = 33 + 16;

    /// <summary>Weights of the errors.</summary>
    public fixed float W[Length];

    /// <summary>The scale of each sub-block, not negative.</summary>
    public fixed float Scales[Length / 16];

    /// <summary>Which shift each half of a sub-block has: bit 1 for the first, bit 0 for the second, set for −δ.</summary>
    public fixed byte Shifts[Length / 16];

    /// <summary>The index of each group of eight.</summary>
    public fixed ushort Indices[Length / 8];

    /// <summary>The elements of a sub-block by rising value.</summary>
    public fixed int Order[32];

    /// <summary>For each half (one half where they share a shift): Σ w·x and Σ w of the first so many elements by rising value.</summary>
    public fixed float SumsX[2 * MostSums];
    public fixed float SumsW[2 * MostSums];

    /// <summary>Level of each element of a sub-block: 0, 1, 2 for −1, 0, 1.</summary>
    public fixed byte Levels[32];

    /// <summary>Three levels and a fourth that no point has, over and over; elements and weights, each as often as there are levels; the errors.</summary>
    public fixed float LevelTable[NearestPoint.Terms];
    public fixed float X[NearestPoint.Terms];
    public fixed float Weights[NearestPoint.Terms];
    public fixed float Errors[NearestPoint.Terms];

    /// <summary>w = importance · √(σ² + x²) with σ² twice the mean square, or x² without importances.</summary>
    public void FillWeights<T>(float* x, float* importance) where T : unmanaged, ICodeLanes<T>
    {
        var sum = 0f;
        for (var i = 0; i < Length; i++)
            sum += x[i] * x[i];
        var variance = T.Create(2 * sum / Length);
        fixed (float* w = W)
        {
            for (var i = 0; i < Length; i += T.Count)
            {
                var square = *(T*)(x + i) * *(T*)(x + i);
                *(T*)(w + i) = importance == null ? square : *(T*)(importance + i) * T.Sqrt(variance + square);
            }
        }
    }

    /// <summary>Sorts a sub-block by counting, for each element, those that come before it. Equal ones stay in their order, as with glibc's qsort.</summary>
    [SkipLocalsInit]
    public static void Sort<T>(float* x, int length, int* order) where T : unmanaged, ICodeLanes<T>
    {
        var ranks = stackalloc byte[32];
        for (var i = 0; i < length; i += T.Count)
        {
            var (value, one, rank) = (*(T*)(x + i), T.Create(1), T.Create(0));
            var position = NearestPoint.LanePositions<T>() + T.Create(i);
            for (var j = 0; j < length; j++)
            {
                var other = T.Create(x[j]);
                var isBefore = T.GreaterThan(value, other) | T.Equal(value, other) & T.GreaterThan(position, T.Create(j));
                rank += isBefore & one;
            }
            T.StoreBytes(rank, ref ranks[i]);
        }
        for (var i = 0; i < length; i++)
            order[ranks[i]] = i;
    }
}

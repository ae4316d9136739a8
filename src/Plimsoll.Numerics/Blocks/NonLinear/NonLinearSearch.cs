using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Plimsoll.Numerics.Blocks.Lanes;
using Plimsoll.Numerics.Blocks.Packing;

namespace Plimsoll.Numerics.Blocks.NonLinear;

/// <summary>The scale of 32 weights on the non-linear levels that maximizes (Σ w·q·x)² / Σ w·q² over sixteen candidates, q the nearest levels.</summary>
/// <remarks>The candidates lie in lanes. Order of operations: <c>quantize_row_iq4_nl_impl</c> of ggml-quants.c with ntry = 7.</remarks>
internal static unsafe class NonLinearSearch
{
    /// <summary>Weights that share a scale.</summary>
    public const int Length = 32;

    /// <summary>GROUP_MAX_EPS of ggml-quants.c: smaller magnitudes count as zero.</summary>
    private const float SmallestMagnitude = 1e-15f;

    /// <summary>The scale under which the largest weight meets the lowest level, and 15 around it.</summary>
    private const int Candidates = 16;
    private const int Range = 7;

    /// <summary>σ² = 2 · Σ x² / n.</summary>
    public static float Variance(ReadOnlySpan<float> x)
    {
        var sum = 0f;
        foreach (var value in x)
            sum += value * value;
        return sum * (2f / x.Length);
    }

    /// <summary>w = importance · √(σ² + x²), or x² without importances.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Weights<T>(float* x, float* importance, float variance, float* w) where T : unmanaged, ICodeLanes<T>
    {
        for (var i = 0; i < Length; i += T.Count)
        {
            var square = *(T*)(x + i) * *(T*)(x + i);
            *(T*)(w + i) = importance == null ? square : *(T*)(importance + i) * T.Sqrt(T.Create(variance) + square);
        }
    }

    /// <returns>The scale, of either sign; zero where all weights are.</returns>
    [SkipLocalsInit]
    public static float Run<T>(float* x, float* w) where T : unmanaged, ICodeLanes<T>
    {
        var largest = BlockRange.LargestMagnitude32<T>(in *x);
        if (MathF.Abs(largest) < SmallestMagnitude)
            return 0;
        var inverses = stackalloc float[Candidates];
        inverses[0] = 1 / (-largest / NonLinearLevels.Lowest);
        for (var i = 1; i < Candidates; i++)
            inverses[i] = (i - 1 - Range + NonLinearLevels.Lowest) / largest;

        var sumsQX = stackalloc float[Candidates];
        var sumsQ2 = stackalloc float[Candidates];
        for (var lane = 0; lane < Candidates; lane += T.Count)
        {
            var inverse = *(T*)(inverses + lane);
            var sumQX = T.Create(0);
            var sumQ2 = T.Create(0);
            for (var i = 0; i < Length; i++)
            {
                var value = T.Create(x[i]);
                var level = NonLinearLevels.Value(inverse * value);
                var weighted = T.Create(w[i]) * level;
                sumQX += weighted * value;
                sumQ2 += weighted * level;
            }
            *(T*)(sumsQX + lane) = sumQX;
            *(T*)(sumsQ2 + lane) = sumQ2;
        }

        var scale = sumsQ2[0] > 0 ? sumsQX[0] / sumsQ2[0] : 0;
        var best = scale * sumsQX[0];
        for (var i = 1; i < Candidates; i++)
        {
            if (sumsQ2[i] > 0 && sumsQX[i] * sumsQX[i] > best * sumsQ2[i])
            {
                scale = sumsQX[i] / sumsQ2[i];
                best = scale * sumsQX[i];
            }
        }
        return scale;
    }

    /// <summary>The codes of the nearest levels under a scale.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Codes<T>(float* x, float scale, byte* codes) where T : unmanaged, ICodeLanes<T>
    {
        var inverse = T.Create(scale != 0 ? 1 / scale : 0);
        for (var i = 0; i < Length; i += T.Count)
            T.StoreBytes(NonLinearLevels.Code(inverse * *(T*)(x + i)), ref codes[i]);
    }

    /// <summary>The values of packed codes.</summary>
    [SkipLocalsInit]
    public static void Decode<T>(ReadOnlySpan<byte> packed, float scale, Span<float> values) where T : unmanaged, ICodeLanes<T>
    {
        Span<sbyte> levels = stackalloc sbyte[Length];
        var pairs = Vector128.Create(packed);
        var table = Vector128.Create(NonLinearLevels.Values);
        Vector128.Shuffle(table, (pairs & Vector128.Create((byte)15)).AsSByte()).CopyTo(levels);
        Vector128.Shuffle(table, (pairs >> 4).AsSByte()).CopyTo(levels[(Length / 2)..]);
        SignedBytes.Scale<T>(levels, scale, 0, values);
    }
}

using System.Runtime.CompilerServices;
using Plimsoll.Numerics.Blocks.Lanes;
using Plimsoll.Numerics.Codecs;

namespace Plimsoll.Numerics.Blocks.NonLinear;

/// <summary>The scale of 32 weights of least Σ importance · e² among many, each tried as it will be decoded.</summary>
/// <remarks>With the scale given every code is best where it is nearest, so the error is a function of the scale alone; it has many minima.</remarks>
internal static unsafe class NonLinearGrid
{
    /// <summary>Scales are tried from a little above the one under which the largest weight meets the highest level, to where it is clipped four times.</summary>
    private const float Coarsest = 1.1f;
    private const float Ratio = 1.025f;
    private const int Steps = 63;

    /// <summary>Then fifteen close to the least-squares scale for the codes of the best.</summary>
    private const int Near = 16;
    private const float NearStep = 0.002f;

    private const int Length = NonLinearSearch.Length;

    /// <param name="importance">Null for none.</param>
    /// <param name="scale">A scale to begin with: the result is no worse.</param>
    /// <returns>An FP16 number.</returns>
    [SkipLocalsInit]
    public static float Refine<T>(float* x, float* importance, float scale) where T : unmanaged, ICodeLanes<T>
    {
        const int candidates = 2 + 2 * Steps;
        var scales = stackalloc float[candidates];
        (scales[0], scales[1]) = (Fp16.ToSingle(Fp16.FromSingle(scale)), 0);
        var tried = BlockRange.Magnitude<T>(in *x, Length) / NonLinearLevels.Highest * Coarsest;
        for (var i = 2; i < candidates; i += 2, tried /= Ratio)
        {
            scales[i] = Fp16.ToSingle(Fp16.FromSingle(tried));
            scales[i + 1] = -scales[i];
        }
        scales[0] = scales[Best<T>(x, importance, scales, candidates)];
        var solved = LeastSquares<T>(x, importance, scales[0]);
        for (var i = 1; i < Near; i++)
            scales[i] = Fp16.ToSingle(Fp16.FromSingle(solved * (1 + (i - Near / 2) * NearStep)));
        return scales[Best<T>(x, importance, scales, Near)];
    }

    /// <summary>The index of the scale of least error, the first of equal ones.</summary>
    /// <param name="scales">As decoded; a multiple of 16 of them.</param>
    [SkipLocalsInit]
    public static int Best<T>(float* x, float* importance, float* scales, int count) where T : unmanaged, ICodeLanes<T>
    {
        var errors = stackalloc float[count];
        var (zero, one) = (T.Create(0), T.Create(1));
        for (var lane = 0; lane < count; lane += T.Count)
        {
            var scale = *(T*)(scales + lane);
            var inverse = T.Select(T.Equal(scale, zero), zero, one / scale);
            var sum = zero;
            for (var i = 0; i < Length; i++)
            {
                var value = T.Create(x[i]);
                var difference = scale * NonLinearLevels.Value(inverse * value) - value;
                sum += T.Create(importance == null ? 1 : importance[i]) * difference * difference;
            }
            *(T*)(errors + lane) = sum;
        }
        var best = 0;
        for (var i = 1; i < count; i++)
        {
            if (errors[i] < errors[best])
                best = i;
        }
        return best;
    }

    /// <summary>Σ w·q·x / Σ w·q² for the levels that a scale gives; the scale itself where there is none.</summary>
    private static float LeastSquares<T>(float* x, float* importance, float scale) where T : unmanaged, ICodeLanes<T>
    {
        var codes = stackalloc byte[Length];
        NonLinearSearch.Codes<T>(x, scale, codes);
        var (sumQX, sumQ2) = (0f, 0f);
        for (var i = 0; i < Length; i++)
        {
            var weighted = (importance == null ? 1 : importance[i]) * NonLinearLevels.Values[codes[i]];
            sumQX += weighted * x[i];
            sumQ2 += weighted * NonLinearLevels.Values[codes[i]];
        }
        return sumQ2 > 0 ? sumQX / sumQ2 : scale;
    }
}

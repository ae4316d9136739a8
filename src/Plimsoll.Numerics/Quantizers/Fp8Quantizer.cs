using System.Runtime.Intrinsics;
using Plimsoll.Numerics.Codecs;

namespace Plimsoll.Numerics.Quantizers;

/// <summary>FP8 E4M3 codes with a scale: w ≈ value of the code · scale, scale = amax / 448.</summary>
public static class Fp8Quantizer
{
    private const float Largest = 448;

    /// <summary>The scale that makes the largest magnitude the largest code; 1 where all weights are 0.</summary>
    public static float ScaleOf(float amax) => amax > 0 ? Math.Max(amax / Largest, float.Epsilon) : 1;

    /// <summary>The nearest code of each w / scale, ties to even, saturating.</summary>
    public static void Encode(ReadOnlySpan<float> weights, float scale, Span<byte> codes)
    {
        Span<float> scaled = stackalloc float[256];
        for (var at = 0; at < weights.Length; at += scaled.Length)
        {
            var piece = weights[at..Math.Min(weights.Length, at + scaled.Length)];
            Divide(piece, scale, scaled);
            FloatCast.Encode(FloatLayout.E4M3, scaled[..piece.Length], codes.Slice(at, piece.Length), FloatOverflow.Saturate);
        }
    }

    /// <summary>w = value of the code · scale.</summary>
    public static void Decode(ReadOnlySpan<byte> codes, float scale, Span<float> weights)
    {
        FloatCast.Decode(FloatLayout.E4M3, codes, weights);
        for (var at = 0; at < weights.Length; at++)
            weights[at] *= scale;
    }

    private static void Divide(ReadOnlySpan<float> weights, float scale, Span<float> scaled)
    {
        var at = 0;
        if (Vector256.IsHardwareAccelerated)
        {
            for (; at <= weights.Length - Vector256<float>.Count; at += Vector256<float>.Count)
                (Vector256.Create(weights[at..]) / scale).CopyTo(scaled[at..]);
        }
        for (; at < weights.Length; at++)
            scaled[at] = weights[at] / scale;
    }
}

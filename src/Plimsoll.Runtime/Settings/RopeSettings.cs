using System.Collections.Immutable;

namespace Plimsoll.Runtime.Settings;

/// <summary>Rotary position embedding: pair i of a head turns by position · frequency(i).</summary>
/// <param name="Pairing">Which two elements of a head make a pair.</param>
/// <param name="Dimensions">How many elements of a head are turned, from the first; the rest stay.</param>
/// <param name="Theta">The base: frequency(i) = θ^(-2i / dimensions), before scaling.</param>
/// <param name="Scaling">What stretches the frequencies to a longer context.</param>
public sealed record RopeSettings(RopePairing Pairing, int Dimensions, double Theta, RopeScaling Scaling)
{
    /// <summary>The frequencies for a session of <paramref name="context"/> tokens.</summary>
    public RopeFrequencies Frequencies(int context)
    {
        var plain = new double[Dimensions / 2];
        for (var pair = 0; pair < plain.Length; pair++)
            plain[pair] = Math.Pow(Theta, -2.0 * pair / Dimensions);
        return Scaling.Apply(plain, this, context);
    }
}

public enum RopePairing
{
    /// <summary>(0, 1), (2, 3), …: Meta's original, and llama.cpp's files of the Llama family.</summary>
    Neighbours,

    /// <summary>(0, d/2), (1, d/2 + 1), …: GPT-NeoX, and every checkpoint of transformers here.</summary>
    Halves,
}

/// <param name="Inverse">(dimensions / 2), radians per position.</param>
/// <param name="Magnitude">What the rotated elements are multiplied by (YaRN, LongRoPE), usually 1.</param>
public sealed record RopeFrequencies(ImmutableArray<double> Inverse, double Magnitude);

/// <summary>How frequencies are stretched to a context longer than the one a model was trained with.</summary>
public abstract record RopeScaling
{
    public static RopeScaling None { get; } = new LinearRope(1);

    internal abstract RopeFrequencies Apply(double[] plain, RopeSettings rope, int context);

    private protected static RopeFrequencies Map(double[] plain, Func<double, int, double> scale, double magnitude = 1) =>
        new([.. plain.Select(scale)], magnitude);
}

/// <summary>Position interpolation: every frequency divided by a factor (arXiv 2306.15595).</summary>
public sealed record LinearRope(double Factor) : RopeScaling
{
    internal override RopeFrequencies Apply(double[] plain, RopeSettings rope, int context) => Map(plain, (frequency, _) => frequency / Factor);
}

/// <summary>Frequencies divided by stated factors, one per pair: <c>rope_freqs.weight</c> of GGUF files.</summary>
public sealed record FactorRope(ImmutableArray<float> Factors) : RopeScaling
{
    internal override RopeFrequencies Apply(double[] plain, RopeSettings rope, int context) => Map(plain, (frequency, pair) => frequency / Factors[pair]);
}

/// <summary>Llama 3.1: wavelengths beyond the original context divided by lowFactor are stretched, short ones stay, those between are blended.</summary>
public sealed record Llama3Rope(double Factor, double LowFactor, double HighFactor, int OriginalContext) : RopeScaling
{
    internal override RopeFrequencies Apply(double[] plain, RopeSettings rope, int context) => Map(plain, (frequency, _) =>
    {
        var wavelength = 2 * Math.PI / frequency;
        if (wavelength < OriginalContext / HighFactor)
            return frequency;
        if (wavelength > OriginalContext / LowFactor)
            return frequency / Factor;
        var smooth = (OriginalContext / wavelength - LowFactor) / (HighFactor - LowFactor);
        return (1 - smooth) * frequency / Factor + smooth * frequency;
    });
}

/// <summary>YaRN (arXiv 2309.00071): slow pairs are interpolated, fast ones stay, with a ramp between; the magnitude grows with the factor.</summary>
/// <param name="Magnitude">What rotated elements are multiplied by; null for the paper's 0.1 ln(factor) + 1.</param>
public sealed record YarnRope(double Factor, int OriginalContext, double BetaFast, double BetaSlow, double? Magnitude) : RopeScaling
{
    internal override RopeFrequencies Apply(double[] plain, RopeSettings rope, int context)
    {
        var low = Math.Max(0, Math.Floor(PairTurning(BetaFast, rope)));
        var high = Math.Min(rope.Dimensions - 1, Math.Ceiling(PairTurning(BetaSlow, rope)));
        return Map(plain, (frequency, pair) =>
        {
            var interpolated = Math.Clamp((pair - low) / Math.Max(0.001, high - low), 0, 1);
            return frequency / Factor * interpolated + frequency * (1 - interpolated);
        }, Magnitude ?? (Factor <= 1 ? 1 : 0.1 * Math.Log(Factor) + 1));
    }

    /// <summary>The pair that makes <paramref name="turns"/> full turns within the original context.</summary>
    private double PairTurning(double turns, RopeSettings rope) =>
        rope.Dimensions * Math.Log(OriginalContext / (turns * 2 * Math.PI)) / (2 * Math.Log(rope.Theta));
}

/// <summary>LongRoPE (Phi-3 128k): one list of factors for sessions within the original context and another for longer ones.</summary>
public sealed record LongRope(ImmutableArray<float> Short, ImmutableArray<float> Long, int OriginalContext, double Magnitude) : RopeScaling
{
    internal override RopeFrequencies Apply(double[] plain, RopeSettings rope, int context)
    {
        var factors = context > OriginalContext ? Long : Short;
        return Map(plain, (frequency, pair) => frequency / factors[pair], Magnitude);
    }
}

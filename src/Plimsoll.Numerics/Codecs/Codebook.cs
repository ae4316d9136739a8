using System.Collections.Immutable;

namespace Plimsoll.Numerics.Codecs;

/// <summary>Sixteen values that a 4-bit code stands for, where they are not evenly spaced.</summary>
/// <param name="Values">Value per code.</param>
public sealed record Codebook(ImmutableArray<float> Values)
{
    /// <summary>NormalFloat4: quantiles of the normal distribution, with an exact zero (QLoRA, Dettmers 2023; bitsandbytes functional.py).</summary>
    public static Codebook Nf4 { get; } = new([
        -1.0f, -0.6961928009986877f, -0.5250730514526367f, -0.39491748809814453f,
        -0.28444138169288635f, -0.18477343022823334f, -0.09105003625154495f, 0.0f,
        0.07958029955625534f, 0.16093020141124725f, 0.24611230194568634f, 0.33791524171829224f,
        0.44070982933044434f, 0.5626170039176941f, 0.7229568362236023f, 1.0f]);

    /// <summary>The 4-bit float of bitsandbytes, divided by its largest value 12 (functional.py). Not the E2M1 of the OCP formats.</summary>
    public static Codebook BitsAndBytesFp4 { get; } = new([
        0.0f, 0.0625f / 12, 8f / 12, 12f / 12, 4f / 12, 6f / 12, 2f / 12, 3f / 12,
        -0.0f, -0.0625f / 12, -8f / 12, -12f / 12, -4f / 12, -6f / 12, -2f / 12, -3f / 12]);

    /// <summary>The non-linear levels of ggml's IQ4_NL and IQ4_XS (ggml-common.h, kvalues_iq4nl).</summary>
    public static Codebook Iq4Nl { get; } = new([-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113]);

    /// <summary>The code of the nearest value; of two equally near ones the lower code.</summary>
    /// <exception cref="ArgumentException">The value is NaN.</exception>
    public int Encode(double value)
    {
        if (double.IsNaN(value))
            throw new ArgumentException("a codebook cannot hold NaN", nameof(value));
        var best = 0;
        for (var code = 1; code < Values.Length; code++)
        {
            if (Math.Abs(value - Values[code]) < Math.Abs(value - Values[best]))
                best = code;
        }
        return best;
    }

    public double Decode(int code) => Values[code];
}

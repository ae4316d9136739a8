namespace Plimsoll.Evaluation.Logits;

/// <summary>A log-probability in 16 bits, relative to the largest of its row.</summary>
/// <remarks>
/// The code is 65535 · √(d / 24) with d the distance to the largest, in nats. The root puts the precision where the probability is: 6 · 10⁻⁶ nat at
/// d = 0.01, 7 · 10⁻⁵ at 1, 2 · 10⁻⁴ at 10. A token 24 nats below the most probable one has a probability below 4 · 10⁻¹¹ and counts as that.
/// </remarks>
internal static class LogitCode
{
    private const float Range = 24;

    private const float Steps = 65535;

    public static void Encode(ReadOnlySpan<float> logits, float max, Span<ushort> codes)
    {
        for (var token = 0; token < logits.Length; token++)
            codes[token] = (ushort)MathF.Round(Steps * MathF.Sqrt(Math.Clamp((max - logits[token]) / Range, 0, 1)));
    }

    /// <summary>Log-probabilities relative to the largest.</summary>
    public static void Decode(ReadOnlySpan<ushort> codes, Span<float> row)
    {
        for (var token = 0; token < codes.Length; token++)
        {
            var root = codes[token] * (1 / Steps);
            row[token] = -Range * root * root;
        }
    }
}

namespace Plimsoll.Numerics;

/// <summary>What one GGUF file type cost Llama-3-8B, as its makers measured it.</summary>
/// <param name="FileType">The mix of formats, for example <c>Q4_K_M</c>.</param>
/// <param name="MainFormat">The format that most of its weights are stored in.</param>
/// <param name="ImportanceMatrix">Whether an importance matrix from WikiText guided the quantization.</param>
/// <param name="GiB">Size of the file.</param>
/// <param name="Perplexity">On the WikiText-2 test set, windows of 512 tokens.</param>
/// <param name="KlDivergence">Mean KL divergence from the FP16 model, in nats per token.</param>
/// <param name="RmsProbabilityChange">Root mean square change of the probability of the right token, in percentage points.</param>
public sealed record PublishedQuality(
    string FileType, string MainFormat, bool ImportanceMatrix, double GiB, double Perplexity, double KlDivergence, double RmsProbabilityChange)
{
    /// <summary>Where the figures come from.</summary>
    public const string Source = "llama.cpp, tools/perplexity/README.md, \"LLaMA 3 8b Scoreboard\" (WikiText-2 test, 512-token windows, CUDA)";

    /// <summary>The perplexity of the FP16 model in the same table.</summary>
    public const double BaselinePerplexity = 6.2332;

    /// <summary>Best first. Where the table gives a range over calibration sizes (Q2_K, IQ1_S), the 10-million-token end is not told apart, so those rows are left out.</summary>
    public static IReadOnlyList<PublishedQuality> Llama3 { get; } =
    [
        new("F16", "FP16", false, 14.97, 6.2332, 0.000551, 0.787),
        new("Q8_0", "Q8_0", false, 7.96, 6.2343, 0.001355, 1.198),
        new("Q6_K", "Q6_K", false, 6.14, 6.2534, 0.005452, 2.295),
        new("Q5_K_M", "Q5_K", false, 5.33, 6.2886, 0.010762, 3.160),
        new("Q5_K_S", "Q5_K", false, 5.21, 6.3366, 0.016595, 3.918),
        new("Q5_1", "Q5_1", false, 5.65, 6.3379, 0.018045, 4.123),
        new("Q5_0", "Q5_0", false, 5.21, 6.3632, 0.022239, 4.634),
        new("Q4_K_M", "Q4_K", true, 4.58, 6.3829, 0.028152, 5.251),
        new("Q4_K_M", "Q4_K", false, 4.58, 6.4071, 0.031273, 5.519),
        new("Q4_K_S", "Q4_K", true, 4.37, 6.4097, 0.031951, 5.645),
        new("IQ4_NL", "IQ4_NL", true, 4.35, 6.4556, 0.035742, 5.998),
        new("IQ4_XS", "IQ4_XS", true, 4.14, 6.4597, 0.036334, 6.044),
        new("Q4_K_S", "Q4_K", false, 4.37, 6.5005, 0.043136, 6.562),
        new("Q4_1", "Q4_1", false, 4.78, 6.6827, 0.071683, 8.512),
        new("Q4_0", "Q4_0", false, 4.34, 6.7001, 0.071940, 8.434),
        new("Q3_K_L", "Q3_K", true, 4.03, 6.6712, 0.073077, 8.662),
        new("Q3_K_M", "Q3_K", true, 3.74, 6.7343, 0.084358, 9.292),
        new("Q3_K_L", "Q3_K", false, 4.03, 6.7879, 0.087176, 9.432),
        new("Q3_K_M", "Q3_K", false, 3.74, 6.8885, 0.101913, 10.203),
        new("IQ3_M", "IQ3_S", true, 3.53, 6.8983, 0.102534, 10.513),
        new("IQ3_S", "IQ3_S", true, 3.42, 6.9655, 0.111278, 10.845),
        new("IQ3_XS", "IQ3_S", true, 3.28, 7.1630, 0.138693, 12.148),
        new("IQ3_XXS", "IQ3_XXS", true, 3.05, 7.4584, 0.183625, 13.836),
        new("Q3_K_S", "Q3_K", true, 3.41, 7.6029, 0.199821, 14.980),
        new("Q3_K_S", "Q3_K", false, 3.41, 7.8638, 0.228217, 15.541),
        new("IQ2_M", "IQ2_S", true, 2.74, 8.6008, 0.325989, 18.519),
        new("Q2_K_S", "Q2_K", true, 2.96, 9.3238, 0.403360, 20.050),
        new("IQ2_S", "IQ2_XS", true, 2.56, 9.6508, 0.439197, 21.491),
        new("Q2_K", "Q2_K", false, 2.96, 9.7516, 0.445132, 21.421),
        new("IQ2_XS", "IQ2_XS", true, 2.43, 10.7614, 0.546290, 23.872),
        new("IQ2_XXS", "IQ2_XXS", true, 2.24, 14.0918, 0.812022, 28.576),
        new("IQ1_M", "IQ1_M", true, 2.01, 25.4937, 1.393084, 38.287),
    ];

    /// <summary>How much higher the perplexity is than that of FP16, as a fraction.</summary>
    public double PerplexityIncrease => Perplexity / BaselinePerplexity - 1;

    /// <summary>The published rows whose weights are mostly in a format; empty when nobody published one.</summary>
    public static IEnumerable<PublishedQuality> Of(NumberFormat format) => Llama3.Where(row => row.MainFormat == format.Name);
}

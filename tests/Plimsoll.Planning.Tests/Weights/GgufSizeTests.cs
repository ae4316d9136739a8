using Plimsoll.Planning.Weights;

namespace Plimsoll.Planning.Tests.Weights;

/// <summary>Sizes that llama.cpp and its users printed.</summary>
public class GgufSizeTests
{
    /// <summary>llama.cpp tools/quantize/README.md, Llama-3.1-8B: bits per weight of the tensor data.</summary>
    [Theory]
    [InlineData("iq1_s", 2.0042)]
    [InlineData("iq1_m", 2.1460)]
    [InlineData("iq2_xxs", 2.3824)]
    [InlineData("iq2_xs", 2.5882)]
    [InlineData("iq2_s", 2.7403)]
    [InlineData("iq2_m", 2.9294)]
    [InlineData("iq3_xxs", 3.2548)]
    [InlineData("iq3_xs", 3.4977)]
    [InlineData("iq3_s", 3.6606)]
    [InlineData("iq3_m", 3.7628)]
    [InlineData("iq4_xs", 4.4597)]
    [InlineData("iq4_nl", 4.6818)]
    [InlineData("q2_k_s", 2.9697)]
    [InlineData("q2_k", 3.1593)]
    [InlineData("q3_k_s", 3.6429)]
    [InlineData("q3_k_m", 3.9960)]
    [InlineData("q3_k_l", 4.2979)]
    [InlineData("q4_k_s", 4.6672)]
    [InlineData("q4_k_m", 4.8944)]
    [InlineData("q5_k_s", 5.5704)]
    [InlineData("q5_k_m", 5.7036)]
    [InlineData("q6_k", 6.5633)]
    [InlineData("q8_0", 8.5008)]
    [InlineData("f16", 16.0005)]
    public void Llama_3_1_8B_has_the_bits_per_weight_that_llama_cpp_publishes(string type, double bitsPerWeight) =>
        Assert.Equal(bitsPerWeight, Apply(type, TestShapes.Llama31_8B).BitsPerWeight, 4);

    /// <summary>
    /// llama.cpp tools/perplexity/README.md, Llama-3-8B. The table gives some rows with and some without the file header (0.010 GiB of vocabulary),
    /// so it agrees to 0.015 GiB only. Left out is Q2_K_S, where it repeats the size of Q2_K; the same project's quantize table, above, does not.
    /// </summary>
    [Theory]
    [InlineData("f16", 14.97)]
    [InlineData("q8_0", 7.96)]
    [InlineData("q6_k", 6.14)]
    [InlineData("q5_k_m", 5.33)]
    [InlineData("q5_k_s", 5.21)]
    [InlineData("q5_1", 5.65)]
    [InlineData("q5_0", 5.21)]
    [InlineData("q4_k_m+imatrix", 4.58)]
    [InlineData("q4_k_s+imatrix", 4.37)]
    [InlineData("iq4_nl+imatrix", 4.35)]
    [InlineData("iq4_xs+imatrix", 4.14)]
    [InlineData("q4_1", 4.78)]
    [InlineData("q4_0", 4.34)]
    [InlineData("q3_k_l", 4.03)]
    [InlineData("q3_k_m", 3.74)]
    [InlineData("q3_k_s", 3.41)]
    [InlineData("iq3_m+imatrix", 3.53)]
    [InlineData("iq3_s+imatrix", 3.42)]
    [InlineData("iq3_xs+imatrix", 3.28)]
    [InlineData("iq3_xxs+imatrix", 3.05)]
    [InlineData("q2_k", 2.96)]
    [InlineData("iq2_m+imatrix", 2.74)]
    [InlineData("iq2_s+imatrix", 2.56)]
    [InlineData("iq2_xs+imatrix", 2.43)]
    [InlineData("iq2_xxs+imatrix", 2.24)]
    [InlineData("iq1_m+imatrix", 2.01)]
    [InlineData("iq1_s+imatrix", 1.88)]
    public void Llama_3_8B_has_the_sizes_of_the_perplexity_table(string type, double gib) =>
        Assert.Equal(gib, InGiB(Apply(type, TestShapes.Llama3_8B).GgufDataSize()) + 0.005, 0.010);

    /// <summary>llama.cpp tools/perplexity/README.md, Llama 2 70B (2023), file size in GiB, 0.0007 of it header: the mixes whose rules have not changed since.</summary>
    [Theory]
    [InlineData("q4_0", 36.20)]
    [InlineData("q4_1", 40.20)]
    [InlineData("q5_0", 44.20)]
    [InlineData("q3_k_s", 27.86)]
    [InlineData("q3_k_l", 33.67)]
    [InlineData("q5_k_s", 44.20)]
    [InlineData("q5_k_m", 45.41)]
    public void Llama_2_70B_has_the_sizes_of_the_old_scoreboard(string type, double gib) =>
        Assert.Equal(gib, InGiB(Apply(type, TestShapes.Llama2_70B).GgufDataSize()) + 0.0007, 0.005);

    private static double InGiB(Plimsoll.Numerics.ByteSize size) => size.Bytes / Math.Pow(1024, 3);

    private static WeightSet Apply(string type, Plimsoll.Models.ModelShape shape) => PrecisionScheme.Find("gguf:" + type)!.Apply(shape);
}

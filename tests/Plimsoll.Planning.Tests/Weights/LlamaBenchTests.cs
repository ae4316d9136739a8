using System.Globalization;
using Plimsoll.Models.Catalog;
using Plimsoll.Planning.Weights;

namespace Plimsoll.Planning.Tests.Weights;

/// <summary>Size and parameters as <c>llama-bench</c> prints them in public benchmark threads (files made without an importance matrix, or of types it does not change).</summary>
public class LlamaBenchTests
{
    [Theory]
    [InlineData("Llama-2-7b-hf", "f16", "12.55 GiB", "6.74 B")]
    [InlineData("Llama-2-7b-hf", "q4_0", "3.56 GiB", "6.74 B")]
    [InlineData("Llama-2-7b-hf", "q4_k_m", "3.80 GiB", "6.74 B")]
    [InlineData("Mistral-7B-v0.1", "q4_k_m", "4.07 GiB", "7.24 B")]
    [InlineData("Llama-3.1-8B", "q4_k_m", "4.58 GiB", "8.03 B")]
    [InlineData("Llama-3.2-3B", "q4_k_m", "1.87 GiB", "3.21 B")]
    [InlineData("Llama-3.1-405B", "q4_k_m", "226.37 GiB", "405.85 B")]
    [InlineData("Qwen2.5-7B", "q4_k_m", "4.36 GiB", "7.62 B")]
    [InlineData("Qwen3-30B-A3B", "q4_k_m", "17.28 GiB", "30.53 B")]
    [InlineData("Mixtral-8x7B-v0.1", "q4_k_m", "26.49 GiB", "46.70 B")]
    [InlineData("gemma-3-12b-it", "q4_k_m", "6.79 GiB", "11.77 B")]
    [InlineData("Phi-3-mini-4k-instruct", "q4_0", "2.03 GiB", "3.82 B")]
    [InlineData("Phi-3-mini-4k-instruct", "q4_k_m", "2.23 GiB", "3.82 B")]
    [InlineData("phi-4", "q4_k_m", "8.43 GiB", "14.66 B")]
    [InlineData("TinyLlama-1.1B-Chat-v1.0", "q4_k_m", "0.62 GiB", "1.10 B")]
    [InlineData("gpt-oss-20b", "mxfp4_moe", "11.27 GiB", "20.91 B")]
    [InlineData("gpt-oss-120b", "mxfp4_moe", "59.02 GiB", "116.83 B")]
    public void A_file_has_the_size_and_parameters_that_llama_bench_prints(string model, string type, string size, string parameters)
    {
        var weights = PrecisionScheme.Find("gguf:" + type)!.Apply(ModelCatalog.Default.Find(model)!.Shape);
        Assert.Equal(
            (size, parameters),
            (string.Create(CultureInfo.InvariantCulture, $"{weights.Total.Bytes / Math.Pow(1024, 3):F2} GiB"), string.Create(CultureInfo.InvariantCulture, $"{weights.Parameters / 1e9:F2} B")));
    }
}

using System.Text.Json;
using Plimsoll.Models;
using Plimsoll.Planning.Weights;

namespace Plimsoll.Planning.Tests.Weights;

/// <summary>What PyTorch measured when transformers ran quantized checkpoints.</summary>
public class HuggingFaceMemoryTests
{
    /// <summary>PyTorch's allocated memory beyond weights and KV cache in the Qwen3 measurements: cuBLAS workspace and small buffers.</summary>
    private const double SlackMiB = 34;

    /// <summary>Qwen's published measurements (transformers 4.51, one GPU, 2048 tokens generated). transformers keeps a second copy of a tied head in FP8 models.</summary>
    [Theory]
    [InlineData("qwen3-tf-004", "bf16")]
    [InlineData("qwen3-tf-016", "bf16")]
    [InlineData("qwen3-tf-028", "bf16")]
    [InlineData("qwen3-tf-037", "bf16")]
    [InlineData("qwen3-tf-040", "bf16")]
    [InlineData("qwen3-tf-003", "gptq:8bit-g128")]
    [InlineData("qwen3-tf-006", "gptq:8bit-g128")]
    [InlineData("qwen3-tf-009", "gptq:8bit-g128")]
    [InlineData("qwen3-tf-015", "gptq:8bit-g128")]
    [InlineData("qwen3-tf-018", "gptq:8bit-g128")]
    [InlineData("qwen3-tf-021", "gptq:8bit-g128")]
    [InlineData("qwen3-tf-005", "fp8:block128")]
    [InlineData("qwen3-tf-008", "fp8:block128")]
    [InlineData("qwen3-tf-017", "fp8:block128")]
    [InlineData("qwen3-tf-029", "fp8:block128")]
    [InlineData("qwen3-tf-038", "fp8:block128")]
    [InlineData("qwen3-tf-041", "fp8:block128")]
    public void Weights_and_KV_cache_explain_the_measured_memory_to_a_fifth_of_a_percent(string id, string precision) =>
        AssertExplained(id, precision, 0.002);

    /// <summary>AWQ and 4-bit GPTQ kernels also hold dequantized weights for a moment, so weights and cache come out a little low.</summary>
    [Theory]
    [InlineData("qwen3-tf-027", "awq:4bit-g128")]
    [InlineData("qwen3-tf-039", "awq:4bit-g128")]
    [InlineData("qwen3-tf-051", "awq:4bit-g128")]
    [InlineData("qwen2.5-tf-052", "awq:4bit-g128")]
    [InlineData("qwen2.5-tf-003", "gptq:4bit-g128")]
    [InlineData("qwen2.5-tf-019", "gptq:4bit-g128")]
    public void Four_bit_checkpoints_come_within_two_percent(string id, string precision) => AssertExplained(id, precision, 0.02);

    private static void AssertExplained(string id, string precision, double tolerance)
    {
        using var measured = JsonDocument.Parse(File.ReadLines(SharedData.Require("validation/memory_cases.jsonl")).Single(line => line.Contains($"\"{id}\"", StringComparison.Ordinal)));
        var settings = measured.RootElement.GetProperty("settings");
        var shape = Shape(measured.RootElement.GetProperty("model").GetString()!);
        var tokens = settings.GetProperty("input_tokens").GetInt32() + settings.GetProperty("generated_tokens").GetInt32();
        var cache = shape.Layers.Sum(layer => 2L * layer.Attention!.KeyValueHeads * layer.Attention.KeyHeadDim * 2) * tokens;
        var secondHead = precision.StartsWith("fp8", StringComparison.Ordinal) && shape.TiedEmbeddings ? 2L * shape.VocabularySize * shape.HiddenSize : 0;
        var weights = PrecisionScheme.Find(precision)!.Apply(shape).Total.Bytes;
        var total = (weights + cache + secondHead) / (1024.0 * 1024) + SlackMiB;
        Assert.InRange(total / measured.RootElement.GetProperty("measured").GetProperty("total_mib").GetDouble(), 1 - tolerance, 1 + tolerance);
    }

    private static ModelShape Shape(string model) => model.Replace("-Instruct", "") switch
    {
        "Qwen2.5-0.5B" => Qwen2(896, 24, 14, 2, 4864, 151936, tied: true),
        "Qwen2.5-1.5B" => Qwen2(1536, 28, 12, 2, 8960, 151936, tied: true),
        "Qwen2.5-7B" => Qwen2(3584, 28, 28, 4, 18944, 152064),
        "Qwen3-0.6B" => Qwen3(1024, 28, 16, 8, 3072, tied: true),
        "Qwen3-1.7B" => Qwen3(2048, 28, 16, 8, 6144, tied: true),
        "Qwen3-4B" => Qwen3(2560, 36, 32, 8, 9728, tied: true),
        "Qwen3-8B" => Qwen3(4096, 36, 32, 8, 12288),
        "Qwen3-14B" => Qwen3(5120, 40, 40, 8, 17408),
        _ => throw new ArgumentException(model),
    };

    private static ModelShape Qwen2(int hidden, int layers, int heads, int keyValueHeads, int width, int vocabulary, bool tied = false) =>
        TestShapes.Dense("qwen2", hidden, layers, heads, keyValueHeads, width, vocabulary, 32768, tied, inputBias: true);

    private static ModelShape Qwen3(int hidden, int layers, int heads, int keyValueHeads, int width, bool tied = false) =>
        TestShapes.Dense("qwen3", hidden, layers, heads, keyValueHeads, width, 151936, 40960, tied, headDim: 128, queryKeyNorm: true);
}

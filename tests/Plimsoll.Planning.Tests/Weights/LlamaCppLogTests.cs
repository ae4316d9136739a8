using System.Globalization;
using System.Text.RegularExpressions;
using Plimsoll.Models;
using Plimsoll.Planning.Weights;

namespace Plimsoll.Planning.Tests.Weights;

/// <summary>What llama.cpp and ik_llama.cpp printed when they loaded files of standard types: tensors by type, size and bits per weight.</summary>
/// <remarks>The logs with ik_llama.cpp's own types, with hand-made mixtures (q4_K inside Q5_K_M) and with the older DeepSeek layouts are not standard files.</remarks>
public partial class LlamaCppLogTests
{
    [Theory]
    [InlineData("log_031", "qwen3-235b", "q8_0")]
    [InlineData("log_035", "qwen3-235b", "q6_k")]
    [InlineData("log_038", "qwen3-235b", "q6_k")]
    [InlineData("log_101", "qwen3-235b", "q4_k_m")]
    [InlineData("log_110", "qwen3-235b", "q8_0")]
    [InlineData("log_111", "qwen3-235b", "q8_0")]
    [InlineData("log_114", "qwen3-235b", "q8_0")]
    [InlineData("log_115", "qwen3-235b", "q8_0")]
    [InlineData("log_155", "qwen3-235b", "q8_0")]
    [InlineData("log_137", "llama-2-13b", "q8_0")]
    [InlineData("log_142", "glm-z1-32b", "iq4_xs+imatrix")]
    [InlineData("log_146", "glm-z1-32b", "iq4_xs+imatrix")]
    [InlineData("log_147", "glm-z1-32b", "iq4_xs+imatrix")]
    public void A_logged_file_has_exactly_the_planned_tensors(string log, string model, string type)
    {
        var text = File.ReadAllText(SharedData.Require($"llamacpp-logs/{log}.txt"));
        var weights = PrecisionScheme.Find("gguf:" + type)!.Apply(Shape(model));

        var logged = TypeLine.Matches(text).ToDictionary(match => match.Groups["type"].Value.ToLowerInvariant(), match => int.Parse(match.Groups["count"].ValueSpan, CultureInfo.InvariantCulture));
        var planned = weights.Tensors.GroupBy(tensor => tensor.Format.Name switch { "FP32" => "f32", var name => name.ToLowerInvariant() }).ToDictionary(group => group.Key, group => group.Count());
        Assert.Equal(logged.OrderBy(pair => pair.Key), planned.OrderBy(pair => pair.Key));
        if (SizeLine.Match(text) is { Success: true } size)
        {
            Assert.Equal(size.Groups["gib"].Value, (weights.Total.Bytes / Math.Pow(1024, 3)).ToString("F3", CultureInfo.InvariantCulture));
            Assert.Equal(size.Groups["bpw"].Value, weights.BitsPerWeight.ToString("F3", CultureInfo.InvariantCulture));
        }
    }

    private static ModelShape Shape(string model) => model switch
    {
        "qwen3-235b" => TestShapes.Experts("qwen3_moe", hidden: 4096, layers: 94, heads: 64, keyValueHeads: 4, experts: 128, width: 1536, vocabulary: 151936, queryKeyNorm: true, headDim: 128),
        "llama-2-13b" => TestShapes.Llama2_13B,
        "glm-z1-32b" => Glm(),
        _ => throw new ArgumentException(model),
    };

    /// <summary>GLM-4-0414 32B: gate and up in one matrix, four norms per layer.</summary>
    private static ModelShape Glm()
    {
        var shape = TestShapes.Dense("glm4", hidden: 6144, layers: 61, heads: 48, keyValueHeads: 2, width: 23040, vocabulary: 151552, context: 32768, headDim: 128);
        var tensors = shape.Tensors
            .Where(tensor => !tensor.Name.Contains("up_proj", StringComparison.Ordinal))
            .Select(tensor => tensor.Name.Contains("gate_proj", StringComparison.Ordinal) ? tensor with { Name = tensor.Name.Replace("gate_proj", "gate_up_proj"), Dimensions = [2 * 23040, 6144] } : tensor)
            .Concat(shape.Tensors.Where(tensor => tensor is { Role: TensorRole.Norm, Layer: not null }).Select(tensor => tensor with { Name = tensor.Name.Replace("layernorm", "extra_layernorm") }));
        return shape with { Tensors = [.. tensors] };
    }

    [GeneratedRegex(@"- type\s+(?<type>\S+):\s+(?<count>\d+) tensors")]
    private static partial Regex TypeLine { get; }

    [GeneratedRegex(@"model size\s+= (?<gib>[0-9.]+) GiB \((?<bpw>[0-9.]+) BPW\)")]
    private static partial Regex SizeLine { get; }
}

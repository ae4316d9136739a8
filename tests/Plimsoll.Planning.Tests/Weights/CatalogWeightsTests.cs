using Plimsoll.Models;
using Plimsoll.Models.Catalog;
using Plimsoll.Planning.Weights;

namespace Plimsoll.Planning.Tests.Weights;

public class CatalogWeightsTests
{
    private static readonly string[] Sample = ["bf16", "gguf:f16", "gguf:q4_k_m", "gguf:iq2_xs", "gguf:mxfp4_moe", "gptq:4bit-g128", "awq:4bit-g128", "nf4", "fp8:block128", "mxfp4", "nvfp4"];

    [Fact]
    public void Every_model_of_the_catalog_has_a_size_in_every_usual_precision()
    {
        foreach (var shape in ModelCatalog.Default.Entries.Select(entry => entry.Shape))
        {
            var full = PrecisionScheme.Find("bf16")!.Apply(shape).Total;
            foreach (var weights in Sample.Select(name => PrecisionScheme.Find(name)!.Apply(shape)))
            {
                // FP32 norms, routers and biases make an F16 file a little larger than 2 bytes per parameter.
                Assert.InRange(weights.Total.Bytes, 1, full.Bytes * 1.05);
                Assert.True(weights.Active.Bytes <= weights.Total.Bytes, $"{shape.Id} {weights.Precision}");
            }
        }
    }

    [Fact]
    public void A_gguf_file_holds_every_parameter_of_the_language_model_once()
    {
        foreach (var shape in ModelCatalog.Default.Entries.Select(entry => entry.Shape))
        {
            var weights = PrecisionScheme.Find("gguf:f16")!.Apply(shape);
            var expected = shape.Tensors.Where(tensor => tensor.Role is not (TensorRole.Tower or TensorRole.NextToken)).Sum(tensor => tensor.Elements);
            var actual = weights.Tensors.Where(tensor => tensor.Shape.Role != TensorRole.NextToken && tensor.StoredName != "rope_freqs.weight").Sum(tensor => tensor.Shape.Elements);
            Assert.True(expected == actual, $"{shape.Id}: {actual} instead of {expected}");
            if (shape.Confidence == Confidence.Low)
                continue; // No converter has named the tensors of these yet.
            var twice = weights.Tensors.GroupBy(tensor => tensor.StoredName).FirstOrDefault(group => group.Count() > 1);
            Assert.True(twice is null, $"{shape.Id}: {twice?.Key} stands for {string.Join(", ", twice?.Select(tensor => tensor.Shape.Name) ?? [])}");
        }
    }

    [Theory]
    [InlineData("fp32", "28.00 GB")]
    [InlineData("fp16", "14.00 GB")]
    [InlineData("int8", "7.00 GB")]
    [InlineData("int4", "3.50 GB")]
    public void Seven_billion_parameters_cost_what_the_rule_of_thumb_says(string precision, string size)
    {
        var weights = PrecisionScheme.Find(precision)!.Apply(BareSize.Create("7b")!);
        Assert.Equal(size, $"{(weights.Total.Bytes / 1e9).ToString("F2", System.Globalization.CultureInfo.InvariantCulture)} GB");
    }
}

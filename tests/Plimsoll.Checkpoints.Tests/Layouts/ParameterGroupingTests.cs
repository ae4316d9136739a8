using Plimsoll.Checkpoints.Layouts;
using Plimsoll.Numerics;

namespace Plimsoll.Checkpoints.Tests.Layouts;

public class ParameterGroupingTests
{
    [Theory]
    [InlineData("model.layers.0.mlp.down_proj.qweight", "model.layers.0.mlp.down_proj.weight", "qweight")]
    [InlineData("lm_head.weight.absmax", "lm_head.weight", "absmax")]
    [InlineData("lm_head.weight.quant_state.bitsandbytes__nf4", "lm_head.weight", "bitsandbytes__nf4")]
    [InlineData("experts.gate_up_proj_blocks", "experts.gate_up_proj", "blocks")]
    [InlineData("0.weight:qdata", "0.weight", "qdata")]
    [InlineData("model.norm.weight", "model.norm.weight", "")]
    public void A_name_tells_the_parameter_and_its_part(string name, string parameter, string part) => Assert.Equal(new TensorName(parameter, part), TensorName.Of(name));

    [Fact]
    public void A_name_has_one_pattern_in_all_layers_and_experts()
    {
        Assert.Equal("model.layers.*.mlp.experts.*.w1.weight", TensorName.Pattern("model.layers.12.mlp.experts.3.w1.weight"));
        Assert.Equal("layers.3.mlp.experts.*.w1.weight", TensorName.Key("model.language_model.layers.3.mlp.experts.17.w1.weight"));
    }

    [Fact]
    public void Sizes_that_no_layout_allows_are_no_sizes()
    {
        // 2^62 words of nothing: products leave 64 bits although the tensor is empty.
        var storage = Assert.Single(ParameterGrouping.Group([Header("a.qweight", "INT32", 1L << 62, 0), Header("a.scales", "FP16", 1, 0), Header("a.g_idx", "INT32", 8)]));
        Assert.Equal((StorageLayout.Incomplete, (long?)null), (storage.Layout, storage.Elements));
    }

    [Fact]
    public void Any_combination_of_parts_and_shapes_can_be_grouped_and_checked()
    {
        string[] parts = ["qweight", "qzeros", "scales", "g_idx", "weight", "weight_packed", "weight_scale", "weight_scale_inv", "weight_scale_2", "weight_global_scale", "SCB", "weight.absmax", "weight.nested_absmax", "W_q", "scale", "zero", "biases", "codes", "_weight_qdata", "proj_blocks", "proj_scales"];
        string[] formats = ["INT32", "FP16", "UINT8", "INT8", "FP8_E4M3", "FP32", "UINT32", "E8M0", "INT64"];
        long[] sizes = [0, 1, 2, 3, 16, 64, 4096, 1L << 31, (1L << 40) + 1];
        var random = new Random(20_251_123);
        for (var round = 0; round < 20_000; round++)
        {
            var tensors = parts.OrderBy(_ => random.Next()).Take(random.Next(1, 5)).Select(part => Header("m." + part, formats[random.Next(formats.Length)], [.. Enumerable.Range(0, random.Next(4)).Select(_ => sizes[random.Next(sizes.Length)])])).OfType<TensorHeader>().ToList();
            foreach (var storage in ParameterGrouping.Group(tensors))
            {
                Assert.True(storage.Elements is null or >= 0, $"{storage.Name} {storage.Layout} {storage.Elements}");
                Assert.All(LayoutCheck.Find(storage), problem => Assert.NotEmpty(problem.Text));
            }
        }
    }

    /// <summary>Null where the size does not fit 64 bits, which no reader lets through.</summary>
    private static TensorHeader Header(string name, string format, params long[] dimensions)
    {
        var type = NumberFormats.Find(format)!;
        try
        {
            return new(name, type, [.. dimensions], "x", 0, dimensions.Contains(0) ? 0 : type.BytesFor(dimensions.Aggregate(1L, (product, size) => checked(product * size))));
        }
        catch (OverflowException)
        {
            return new(name, type, [1], "x", 0, type.BlockBytes);
        }
    }
}

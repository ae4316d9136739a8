using Plimsoll.Checkpoints.Layouts;
using Plimsoll.Testing.Builders;

namespace Plimsoll.Models.Tests.Inspection;

public class PackedParameterTests
{
    /// <summary>Bytes of one weight of the packed layers, from the layouts: codes and scales, (256, 256) for those that depend on the shape.</summary>
    public static TheoryData<string, string> Layouts { get; } = new()
    {
        { "gptq-4-g128", "GPTQ 4-bit, group 128" },
        { "gptq-3-g64", "GPTQ 3-bit, group 64" },
        { "gptq-8-channel", "GPTQ 8-bit, per channel" },
        { "awq-4-g64", "AWQ 4-bit, group 64" },
        { "nf4", "NF4, block 64 (bitsandbytes)" },
        { "nf4-dq", "NF4, block 64, double-quantized (bitsandbytes)" },
        { "llm-int8", "LLM.int8()" },
        { "ct-w4a16-g128", "INT4 packed (compressed-tensors), group 128" },
        { "ct-w3a16-asym", "INT3 packed (compressed-tensors), per channel" },
        { "ct-w8a8", "INT8, per channel" },
        { "fp8-block", "FP8_E4M3, block 128" },
        { "fp8-channel", "FP8_E4M3, per channel" },
        { "fp8-tensor", "FP8_E4M3, per tensor" },
        { "nvfp4-ct", "NVFP4" },
        { "nvfp4-modelopt", "NVFP4" },
        { "mxfp4-ct", "MXFP4" },
        { "hqq-4-g64", "HQQ 4-bit, group 64" },
        { "torchao-int4", "torchao 4-bit, group 128" },
        { "mlx-4-g64", "MLX 4-bit, group 64" },
        { "bitnet", "BitNet ternary" },
    };

    [Theory]
    [MemberData(nameof(Layouts))]
    public void Packed_weights_are_counted_one_by_one(string name, string type)
    {
        var layout = QuantizedLayout.Of(name);
        var tensors = TinyLlama.Linear(layout.Store).ToList();
        var inspection = ModelFolder.Inspect(tensors, TinyLlama.Config(layout.Config));

        Assert.Empty(inspection.Problems);
        Assert.Equal(TinyLlama.Parameters, inspection.Parameters);
        Assert.Equal(TinyLlama.Parameters, inspection.Shape!.Parameters);
        Assert.Equal(tensors.Sum(tensor => tensor.Bytes), inspection.WeightBytes);
        Assert.Equal([type, "BF16"], inspection.Types.Select(line => line.Name).OrderByDescending(line => line == type));
        // 14 linear layers: everything but embedding, head and five norms.
        Assert.Equal(TinyLlama.Parameters - 2 * 256_000 - 5 * 256, inspection.Types.Single(line => line.Name == type).Parameters);
        Assert.Equal(tensors.Count - 7, inspection.Types.Single(line => line.Name == type).Tensors);
    }

    /// <summary>The shapes of these tell it without a configuration; the codes of the others could be of several widths.</summary>
    [Theory]
    [InlineData("gptq-4-g128")]
    [InlineData("gptq-3-g64")]
    [InlineData("gptq-8-channel")]
    [InlineData("awq-4-g64")]
    [InlineData("nf4")]
    [InlineData("llm-int8")]
    [InlineData("fp8-block")]
    [InlineData("nvfp4-ct")]
    [InlineData("nvfp4-modelopt")]
    [InlineData("mxfp4-ct")]
    public void Without_a_configuration_the_shapes_tell_the_number_of_weights(string name)
    {
        var layout = QuantizedLayout.Of(name);
        var inspection = ModelFolder.Inspect(TinyLlama.Linear(layout.Store));
        Assert.Equal(TinyLlama.Parameters, inspection.Parameters);
        Assert.EndsWith("(told by the tensors; no configuration says so)", inspection.QuantizationText, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ct-w4a16-g128")]
    [InlineData("hqq-4-g64")]
    [InlineData("mlx-4-g64")]
    [InlineData("torchao-int4")]
    public void What_the_shapes_do_not_tell_is_not_guessed(string name)
    {
        var inspection = ModelFolder.Inspect(TinyLlama.Linear(QuantizedLayout.Of(name).Store));
        Assert.Null(inspection.Parameters);
        Assert.Contains("14 packed parameters do not tell how many weights they hold", inspection.ParametersNote, StringComparison.Ordinal);
    }

    [Fact]
    public void The_architecture_tells_what_a_codebook_does_not()
    {
        var tensors = TinyLlama.Linear((path, outputs, inputs) => [new(path + ".codes", "I16", outputs, inputs / 8, 2), new(path + ".codebooks", "F16", 2, 65536, 1, 8), new(path + ".scales", "F16", outputs, 1, 1, 1)]);
        var config = TinyLlama.Config("""{"quant_method":"aqlm","in_group_size":8,"out_group_size":1,"num_codebooks":2,"nbits_per_codebook":16,"linear_weights_not_to_quantize":["lm_head"]}""");
        var inspection = ModelFolder.Inspect(tensors, config);
        Assert.Equal(TinyLlama.Parameters, inspection.Parameters);
        Assert.Equal("14 packed ones as the architecture has them", inspection.ParametersNote);
    }

    [Fact]
    public void The_experts_of_gpt_oss_are_two_codes_to_a_byte()
    {
        // 4 experts, 128 rows of gate and up, 64 inputs: 2 groups of 16 bytes.
        var inspection = ModelFolder.Inspect(
            [new("model.layers.0.mlp.experts.gate_up_proj_blocks", "U8", 4, 128, 2, 16), new("model.layers.0.mlp.experts.gate_up_proj_scales", "U8", 4, 128, 2), new("model.layers.0.mlp.experts.gate_up_proj_bias", "BF16", 4, 128)]);
        Assert.Equal(4 * 128 * 64 + 4 * 128, inspection.Parameters);
        Assert.Equal([4, 128, 64], inspection.Storages[0].Dimensions!.Value);
        Assert.Equal("MXFP4", inspection.Types[0].Name);
        Assert.Equal(4.25, inspection.Types[0].BitsPerWeight);
        Assert.Empty(inspection.Problems);
    }

    [Fact]
    public void Buffers_and_cache_scales_are_no_parameters()
    {
        var inspection = ModelFolder.Inspect(TinyLlama.Plain().Concat(
        [
            new("model.layers.0.self_attn.rotary_emb.inv_freq", "F32", 32), new("model.layers.0.self_attn.bias", "BOOL", 1, 1, 64, 64), new("model.layers.0.self_attn.masked_bias", "F32"),
            new("model.layers.0.self_attn.k_proj.k_scale", "F32"),
        ]), TinyLlama.Config());
        Assert.Equal(TinyLlama.Parameters, inspection.Parameters);
        Assert.Equal(["BF16", "buffers, no parameters", "KV cache scales"], inspection.Types.Select(line => line.Name));
        Assert.Empty(inspection.Problems);
    }

    [Fact]
    public void Biases_of_zeros_that_GPTQ_packers_add_are_no_parameters()
    {
        var layout = QuantizedLayout.Of("gptq-4-g128");
        var inspection = ModelFolder.Inspect(TinyLlama.Linear((path, outputs, inputs) => layout.Store(path, outputs, inputs).Append(new(path + ".bias", "F16", outputs))), TinyLlama.Config(layout.Config));
        Assert.Equal(TinyLlama.Parameters, inspection.Parameters);
        Assert.Empty(inspection.Problems);
    }

    [Fact]
    public void A_name_that_only_looks_like_a_part_is_a_parameter()
    {
        var grouped = ParameterGrouping.Group(ModelFolder.Inspect([new("norm.scale", "F32", 8), new("adapter.scales", "F32", 4)]).Checkpoint!.Tensors);
        Assert.Equal(["norm.scale", "adapter.scales"], grouped.Select(storage => storage.Name));
        Assert.All(grouped, storage => Assert.Equal(StorageKind.Parameter, storage.Kind));
    }
}

using Plimsoll.Checkpoints.Data;
using Plimsoll.Checkpoints.HuggingFace;
using Plimsoll.Checkpoints;
using Plimsoll.Models.Inspection;
using Plimsoll.Quantization.HuggingFace;
using Plimsoll.Testing.Builders;

namespace Plimsoll.Quantization.Tests.HuggingFace;

public class HuggingFaceFormatTests
{
    /// <summary>Each format with the relative squared error that its resolution leaves of normally distributed weights, bounded from both sides.</summary>
    public static TheoryData<string, double, double> Formats => new()
    {
        { "gptq:4bit-g128", 0.008, 0.02 }, { "gptq:4bit-g32", 0.005, 0.015 }, { "gptq:8bit-g128", 0.00002, 0.0001 }, { "gptq:3bit-g128", 0.03, 0.1 }, { "gptq:2bit-g64", 0.1, 0.5 },
        { "gptq:4bit-g128-asym", 0.006, 0.02 }, { "gptq:4bit-g-1", 0.008, 0.03 }, { "awq:4bit-g128", 0.006, 0.02 }, { "awq:4bit-g32", 0.003, 0.015 },
        { "nf4", 0.006, 0.012 }, { "nf4-dq", 0.006, 0.012 }, { "fp4", 0.01, 0.02 }, { "fp4-dq", 0.01, 0.02 }, { "bnb-int8", 0.00002, 0.0002 },
        { "ct:w4a16-g128", 0.008, 0.02 }, { "ct:w4a16-g32-asym", 0.003, 0.015 }, { "ct:w8a16", 0.00002, 0.0002 }, { "ct:w3a16-g64", 0.03, 0.08 }, { "ct:w8a8", 0.00002, 0.0002 },
        { "fp8:channel", 0.0003, 0.001 }, { "fp8:tensor", 0.0003, 0.001 }, { "fp8:block128", 0.0003, 0.001 }, { "ct:fp8-block128", 0.0003, 0.001 },
        { "nvfp4", 0.006, 0.012 }, { "ct:mxfp4", 0.008, 0.02 },
    };

    [Theory, MemberData(nameof(Formats))]
    public void A_written_layer_stands_for_its_weights_by_the_formats_own_arithmetic(string precision, double lowest, double highest)
    {
        using var model = new TinyCheckpoint();
        var file = model.Convert(precision, out var report);
        var checkpoint = Checkpoint.Open(model.Target);
        using var reader = new WeightReader(checkpoint, QuantizationConfig.FindIn(model.Target, ModelConfig.Parse("config.json", File.ReadAllBytes(checkpoint.ConfigPath!))));
        var (squaredError, squares) = (0.0, 0.0);

        foreach (var (module, outputs, inputs) in TinyCheckpoint.Layers)
        {
            var original = model.Original.Floats(module + ".weight");
            var meant = Decode(file, module, precision);
            Assert.Equal(outputs * inputs, meant.Length);
            squares += original.Sum(value => (double)value * value);
            squaredError += original.Zip(meant, (value, other) => Math.Pow(value - other, 2)).Sum();

            var read = new float[meant.Length];
            reader.Find(module + ".weight")!.ReadRows(0, read);
            for (var at = 0; at < read.Length; at++)
                Assert.True(Math.Abs(read[at] - meant[at]) <= 1e-6 * Math.Abs(meant[at]), $"{module} {at}: read {read[at]:R}, the format means {meant[at]:R}");
        }
        Assert.InRange(squaredError / squares, lowest, highest);
        var reported = report.Tensors.Where(tensor => tensor.Name.Contains("proj", StringComparison.Ordinal)).Sum(tensor => tensor.ErrorSum);
        Assert.Equal(squaredError, reported, squaredError * 1e-4);
    }

    public static TheoryData<string> Names => [.. HuggingFaceRecipe.Names];

    [Theory, MemberData(nameof(Names))]
    public void The_configuration_says_how_the_layers_are_stored_and_the_rest_keeps_its_bytes(string precision)
    {
        using var model = new TinyCheckpoint();
        var file = model.Convert(precision, out _);
        var inspection = CheckpointInspector.Inspect(model.Target);

        Assert.Empty(inspection.Problems);
        Assert.Equal(model.Original.Names.Sum(name => model.Original.Floats(name).LongLength), inspection.Parameters);
        Assert.Equal("pt", file.Metadata["format"]);
        Assert.Equal(precision, file.Metadata["plimsoll.recipe"]);
        if (inspection.Quantization is not { } quantization)
        {
            Assert.Contains(precision, (string[])["bf16", "fp16", "fp32"]);
            return;
        }
        Assert.Null(quantization.SchemeOf("lm_head"));
        Assert.NotNull(quantization.SchemeOf("model.layers.0.mlp.up_proj"));
        foreach (var name in (string[])["model.embed_tokens.weight", "model.norm.weight", "model.layers.0.input_layernorm.weight", "lm_head.weight"])
            Assert.Equal(model.Original.Bytes(name), file.Bytes(name));
    }

    [Fact]
    public void Every_name_in_the_help_is_one_that_is_understood()
    {
        foreach (var name in HuggingFaceRecipe.Names)
            Assert.Equal(name, HuggingFaceRecipe.Find(name)!.Precision);
        Assert.Null(HuggingFaceRecipe.Find("gptq:5bit"));
        Assert.Null(HuggingFaceRecipe.Find("gguf:q4_k_m"));
    }

    /// <summary>The arithmetic of the format that a precision name stands for.</summary>
    internal static float[] Decode(TensorFile file, string module, string precision) => precision.Split(':') switch
    {
        ["gptq", var rest] => PublishedArithmetic.Gptq(file, module, rest[0] - '0', rest.EndsWith("-asym", StringComparison.Ordinal)),
        ["awq", _] => PublishedArithmetic.Awq(file, module),
        ["nf4" or "nf4-dq"] => PublishedArithmetic.BitsAndBytes(file, module, "nf4"),
        ["fp4" or "fp4-dq"] => PublishedArithmetic.BitsAndBytes(file, module, "fp4"),
        ["bnb-int8"] => PublishedArithmetic.LlmInt8(file, module),
        ["ct", "w8a8"] => PublishedArithmetic.Int8(file, module),
        ["ct", "mxfp4"] => PublishedArithmetic.Mxfp4(file, module),
        ["ct", "fp8-block128"] => PublishedArithmetic.Fp8(file, module, ".weight_scale"),
        ["ct", var rest] => PublishedArithmetic.PackQuantized(file, module, rest[1] - '0'),
        ["fp8", "block128"] => PublishedArithmetic.Fp8(file, module, ".weight_scale_inv"),
        ["fp8", _] => PublishedArithmetic.Fp8(file, module, ".weight_scale"),
        ["nvfp4"] => PublishedArithmetic.Nvfp4(file, module),
        _ => throw new InvalidOperationException(precision),
    };
}

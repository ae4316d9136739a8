using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.Data;
using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Models;
using Plimsoll.Quantization.Gguf;
using Plimsoll.Testing.Peers;

namespace Plimsoll.Quantization.Tests.Gguf;

/// <summary>NVFP4 needs a scale for the whole tensor, which is a tensor of its own in GGUF.</summary>
public sealed class Nvfp4Tests
{
    /// <summary>Without its scale, which is about 1/20,000 here, a layer would give nothing like these logits.</summary>
    [Theory]
    [InlineData("llama", 0)]
    [InlineData("mixtral", 0)]
    [InlineData("qwen3", 0)]
    [InlineData("qwen3_moe", 0)]
    [InlineData("qwen2", 6)]
    [InlineData("gemma3_text", 6)]
    [InlineData("phi3", 4)]
    [InlineData("gpt2", 4)]
    [InlineData("gpt_neox", 4)]
    [InlineData("falcon", 4)]
    [InlineData("stablelm", 6)]
    [InlineData("olmo2", 6)]
    [InlineData("granite", 6)]
    [InlineData("glm4", 4)]
    [InlineData("gpt_oss", 6)]
    [InlineData("deepseek_v2", 17)]
    public void Llama_cpp_multiplies_the_scales_that_we_write(string modelType, int unscaled)
    {
        using var checkpoint = TinyConfigs.Create(modelType);
        using var folder = new TemporaryFolder();
        var plan = Plan(checkpoint.Path, "nvfp4");
        using var exact = Llama.Load(PlanFiles.Write(Plan(checkpoint.Path, "f32"), folder.Path).Single());
        using var quantized = Llama.Load(PlanFiles.Write(plan, folder.Path).Single());
        int[] tokens = [5, 270, 99, 4, 271];
        var errors = exact.Logits(tokens).Zip(quantized.Logits(tokens), Error).Order().ToList();

        Assert.Equal(unscaled, plan.Files[0].Jobs.Count(job => job.Outputs is [{ Format.Name: "NVFP4_GGML" }]));
        Assert.Equal(unscaled > 0, plan.Notes.Any(note => note.StartsWith("llama.cpp multiplies no scale into blk.0.", StringComparison.Ordinal)));
        // The median of the positions: where a router changes its mind, everything behind differs. Logits that have nothing to do with each other differ by 140 %.
        Assert.True(errors[2] < 0.75, $"the logits differ by {errors[2]:P0}");
    }

    [Fact]
    public void With_the_scale_of_the_tensor_small_weights_keep_their_digits()
    {
        using var checkpoint = TinyConfigs.Create("llama", tensors =>
        {
            foreach (ref var value in tensors["model.layers.0.self_attn.o_proj.weight"].Values.AsSpan())
                value *= 0.01f;
        });
        using var folder = new TemporaryFolder();
        using var reader = new WeightReader(Checkpoint.Open(PlanFiles.Write(Plan(checkpoint.Path, "nvfp4"), folder.Path).Single()), quantization: null);
        var weight = reader.Find("blk.0.attn_output.weight")!;
        var values = new float[weight.Rows * weight.RowLength];
        weight.ReadRows(0, values);

        var original = checkpoint.Tensors["model.layers.0.self_attn.o_proj.weight"].Values;
        var error = original.Zip(values, (a, b) => (double)(a - b) * (a - b)).Sum() / original.Sum(value => (double)value * value);
        // Uniform weights in blocks of 16 with E2M1 codes: about 1.2 %; without the scale every weight is rounded to 0.
        Assert.InRange(error, 0.001, 0.02);
    }

    [Fact]
    public void A_file_with_scales_is_copied_with_them_and_quantized_from_what_it_means()
    {
        using var checkpoint = TinyConfigs.Create("mixtral");
        using var folder = new TemporaryFolder();
        var source = PlanFiles.Write(Plan(checkpoint.Path, "nvfp4"), folder.Path).Single();
        var again = PlanFiles.Write(Plan(source, "nvfp4"), Directory.CreateDirectory(folder.File("again")).FullName).Single();
        GgufComparison.AssertSameTensors(source, again);

        var plain = PlanFiles.Write(Plan(source, "f32"), folder.Path).Single();
        using var scaled = Llama.Load(source);
        using var decoded = Llama.Load(plain);
        var (expected, actual) = (decoded.Logits([1, 2, 3])[^1], scaled.Logits([1, 2, 3])[^1]);
        var error = Error(expected, actual);
        // llama.cpp rounds the activations that meet NVFP4 weights to eight bits.
        Assert.True(error < 0.05, $"the logits differ by {error:P1}");
    }

    /// <summary>The difference relative to what is expected, both as root of the sum of squares.</summary>
    private static double Error(float[] expected, float[] actual) =>
        Math.Sqrt(expected.Zip(actual, (a, b) => (double)(a - b) * (a - b)).Sum() / expected.Sum(value => (double)value * value));

    private static Output.OutputPlan Plan(string source, string fileType) =>
        GgufConversion.Plan(ModelLocator.FromPath(source), new() { FileName = fileType + ".gguf", FileType = GgufFileType.Find(fileType)! });
}

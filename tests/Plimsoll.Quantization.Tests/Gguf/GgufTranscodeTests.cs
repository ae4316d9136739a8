using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.Data;
using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Models;
using Plimsoll.Quantization.Gguf;
using Plimsoll.Quantization.HuggingFace;

namespace Plimsoll.Quantization.Tests.Gguf;

/// <summary>From the quantized layouts of Hugging Face to ggml blocks and without a change of any weight, rows in llama.cpp's order included.</summary>
public sealed class GgufTranscodeTests
{
    [Theory]
    [InlineData("gptq:4bit-g32", "q4_0")]
    // A scale of 128 inputs is repeated.
    [InlineData("gptq:4bit-g128", "q4_0")]
    [InlineData("gptq:3bit-g64", "q4_0")]
    [InlineData("gptq:4bit-g-1", "q4_0")]
    [InlineData("ct:w4a16-g32", "q4_0")]
    [InlineData("ct:w8a16-g32", "q8_0")]
    [InlineData("ct:w8a8", "q8_0")]
    [InlineData("awq:4bit-g64", "q8_0")]
    [InlineData("ct:mxfp4", "mxfp4")]
    public void Layers_keep_every_weight(string precision, string type)
    {
        using var checkpoint = TinyConfigs.Create("llama");
        using var folder = new TemporaryFolder();
        var packed = Convert(checkpoint.Path, folder, precision);
        var plan = GgufConversion.Plan(ModelLocator.FromPath(packed), Recipe(type == "mxfp4" ? "q8_0" : type) with { Overrides = [.. Overrides(type)] });
        var transcoded = PlanFiles.Write(plan, folder.Path).Single();
        var decoded = PlanFiles.Write(GgufConversion.Plan(ModelLocator.FromPath(packed), Recipe("f32")), folder.Path).Single();

        Assert.Contains(plan.Notes, note => note.StartsWith("14 tensors take over the codes and scales of the source", StringComparison.Ordinal));
        var (expected, actual) = (Layers(decoded), Layers(transcoded));
        Assert.Equal(14, actual.Count);
        foreach (var (name, (format, values)) in actual)
        {
            Assert.Equal(type.ToUpperInvariant(), format);
            Assert.Equal(expected[name].Values, values);
        }
    }

    [Theory]
    // Zero points need one bit more; scales are FP32; the codes are no integers.
    [InlineData("awq:4bit-g64", "q4_0")]
    [InlineData("bnb-int8", "q8_0")]
    [InlineData("nf4", "q4_0")]
    public void What_a_block_cannot_hold_is_not_rounded_silently(string precision, string type)
    {
        using var checkpoint = TinyConfigs.Create("llama");
        using var folder = new TemporaryFolder();
        var packed = Convert(checkpoint.Path, folder, precision);

        var refusal = Assert.Throws<QuantizationRefusedException>(() => GgufConversion.Plan(ModelLocator.FromPath(packed), Recipe(type)));
        Assert.Contains("is quantized already", refusal.Message);
        Assert.NotEmpty(GgufConversion.Plan(ModelLocator.FromPath(packed), Recipe(type) with { AllowRequantize = true }).Files);
    }

    private static string Convert(string source, TemporaryFolder folder, string precision)
    {
        var target = Directory.CreateDirectory(folder.File("packed")).FullName;
        var plan = HuggingFaceConversion.Plan(ModelLocator.FromPath(source), HuggingFaceRecipe.Find(precision)!);
        PlanFiles.WriteFolder(plan, target);
        return target;
    }

    private static IEnumerable<GgufTypeOverride> Overrides(string type) => ((string[])["attn_", "ffn_"]).Select(part => GgufTypeOverride.Parse($"{part}={type}"));

    private static GgufRecipe Recipe(string type) => new() { FileName = type + ".gguf", FileType = GgufFileType.Find(type)! };

    private static Dictionary<string, (string Format, float[] Values)> Layers(string path)
    {
        var checkpoint = Checkpoint.Open(path);
        using var reader = new WeightReader(checkpoint, null);
        return checkpoint.Tensors.Where(tensor => tensor.Name.StartsWith("blk", StringComparison.Ordinal) && tensor.Dimensions.Length == 2).ToDictionary(tensor => tensor.Name, tensor =>
        {
            var values = new float[tensor.Elements];
            reader.Find(tensor.Name)!.ReadRows(0, values);
            return (tensor.Format.Name, values);
        });
    }
}

using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Models;
using Plimsoll.Quantization.Gguf;
using Plimsoll.Quantization.Importance;
using Plimsoll.Testing.Peers;

namespace Plimsoll.Quantization.Tests.Gguf;

/// <summary>Types and bytes against <c>llama_model_quantize</c> of llama.cpp v0.5.0, from the checkpoint and from a GGUF file.</summary>
public sealed class GgufRequantizationTests
{
    [Theory]
    [InlineData("llama", "q4_k_m")]
    [InlineData("llama", "q5_1")]
    [InlineData("gemma", "q6_k")]
    [InlineData("qwen2", "q3_k_l")]
    [InlineData("mixtral", "q2_k")]
    [InlineData("qwen3_moe", "mxfp4_moe")]
    [InlineData("falcon", "q4_k_m")]
    [InlineData("phi3", "q5_k_m")]
    [InlineData("gpt2", "q4_k_s")]
    [InlineData("deepseek_v2", "q4_k_m")]
    [InlineData("gpt_oss", "q8_0")]
    [InlineData("llama", "iq4_xs")]
    [InlineData("gemma", "iq4_nl")]
    [InlineData("qwen2", "iq3_s")]
    [InlineData("llama", "tq2_0")]
    public void Types_and_bytes_are_those_of_llama_quantize(string modelType, string fileType)
    {
        using var checkpoint = TinyConfigs.Create(modelType);
        using var folder = new TemporaryFolder();
        var plain = Write(checkpoint.Path, folder, "f32");
        var type = GgufFileType.Find(fileType)!;
        var expected = folder.File("expected.gguf");
        Llama.Quantize(plain, expected, type.Id);

        var written = Write(checkpoint.Path, folder, fileType);
        GgufComparison.AssertSameTensors(expected, written);
        GgufComparison.AssertSameTensors(expected, Write(plain, folder, fileType));
        using var llama = Llama.Load(written);
        Assert.All(llama.Logits([1, 2, 3])[^1], value => Assert.True(float.IsFinite(value)));
    }

    [Theory]
    [InlineData("llama", "q4_k_m")]
    [InlineData("mixtral", "q3_k_s")]
    [InlineData("qwen3", "q4_0")]
    [InlineData("qwen3", "q2_k_s")]
    [InlineData("llama", "iq2_xs")]
    [InlineData("mixtral", "iq2_m")]
    [InlineData("qwen3", "iq3_xxs")]
    [InlineData("llama", "iq1_s")]
    [InlineData("qwen2", "iq1_m")]
    public void Types_and_bytes_with_an_importance_matrix_are_those_of_llama_quantize(string modelType, string fileType)
    {
        using var checkpoint = TinyConfigs.Create(modelType);
        using var folder = new TemporaryFolder();
        var plain = Write(checkpoint.Path, folder, "f32");
        var importance = Importance(plain);
        var expected = folder.File("expected.gguf");
        Llama.Quantize(plain, expected, GgufFileType.Find(fileType)!.Id, importance: importance.Entries.ToDictionary(entry => entry.Name, entry => entry.MeanSquares()));

        var actual = Write(checkpoint.Path, folder, fileType, recipe => recipe with { Importance = GgufImportance.Of("folder/calibration.gguf", importance) });

        GgufComparison.AssertSameTensors(expected, actual);
        var metadata = GgufReader.ReadHeader(actual).Metadata;
        Assert.Equal("calibration.gguf", metadata.String("quantize.imatrix.file"));
        Assert.Equal("wiki.train.raw", metadata.String("quantize.imatrix.dataset"));
        Assert.Equal(importance.Entries.Length, metadata.Integer("quantize.imatrix.entries_count"));
        Assert.Equal(100, metadata.Integer("quantize.imatrix.chunks_count"));
    }

    [Fact]
    public void Pure_files_are_those_of_llama_quantize()
    {
        using var checkpoint = TinyConfigs.Create("llama");
        using var folder = new TemporaryFolder();
        var plain = Write(checkpoint.Path, folder, "f32");
        var expected = folder.File("expected.gguf");
        Llama.Quantize(plain, expected, GgufFileType.Find("q4_k_m")!.Id, pure: true);
        GgufComparison.AssertSameTensors(expected, Write(checkpoint.Path, folder, "q4_k_m", recipe => recipe with { Pure = true }));
    }

    [Fact]
    public void A_quantized_file_is_quantized_again_only_when_allowed_and_then_as_llama_quantize_does()
    {
        using var checkpoint = TinyConfigs.Create("llama");
        using var folder = new TemporaryFolder();
        var source = Write(checkpoint.Path, folder, "q8_0");
        var refusal = Assert.Throws<QuantizationRefusedException>(() => Write(source, folder, "q4_0"));
        Assert.Equal("output.weight is quantized already (Q8_0); to Q6_K it would lose a second time. Take the original checkpoint, or allow it with --requantize.", refusal.Message);

        var expected = folder.File("expected.gguf");
        Llama.Quantize(source, expected, GgufFileType.Find("q4_0")!.Id, requantize: true);
        GgufComparison.AssertSameTensors(expected, Write(source, folder, "q4_0", recipe => recipe with { AllowRequantize = true }));
    }

    [Fact]
    public void What_has_the_wanted_type_already_is_copied()
    {
        using var checkpoint = TinyConfigs.Create("llama");
        using var folder = new TemporaryFolder();
        var source = Write(checkpoint.Path, folder, "q4_k_m");
        GgufComparison.AssertSameTensors(source, Write(source, folder, "q4_k_m"));
    }

    [Fact]
    public void The_metadata_of_a_gguf_source_is_taken_over_and_says_the_new_types()
    {
        using var checkpoint = TinyConfigs.Create("llama");
        using var folder = new TemporaryFolder();
        var before = GgufReader.ReadHeader(Write(checkpoint.Path, folder, "f32")).Metadata;
        var after = GgufReader.ReadHeader(Write(before.Path, folder, "q8_0", recipe => recipe with { SplitBytes = long.MaxValue })).Metadata;

        string[] changed = ["general.file_type", "plimsoll.recipe", "plimsoll.source.headers_sha256"];
        Assert.Equal(before.Keys.Order(), after.Keys.Order());
        Assert.All(before.Keys.Except(changed).Where(key => before.Raw(key) is string or long or double or bool), key => Assert.Equal(before.Raw(key), after.Raw(key)));
        Assert.Equal(before.Strings("tokenizer.ggml.tokens"), after.Strings("tokenizer.ggml.tokens"));
        Assert.Equal(7, after.Integer("general.file_type"));
    }

    /// <summary>A number per column and expert, uneven as activations are.</summary>
    private static ImportanceMatrix Importance(string gguf)
    {
        var random = new Random(7);
        return new()
        {
            Datasets = ["wiki.train.raw"],
            Chunks = 100,
            Entries =
            [
                .. Checkpoint.Open(gguf).Tensors.Where(tensor => tensor.Dimensions.Length > 1).Select(tensor =>
                {
                    var matrices = tensor.Dimensions.Length > 2 ? (int)tensor.Dimensions[0] : 1;
                    return new ImportanceEntry(tensor.Name, [.. Enumerable.Range(0, (int)tensor.Dimensions[^1] * matrices).Select(_ => (float)Math.Exp(3 * random.NextDouble()))], [.. Enumerable.Repeat(8L, matrices)]);
                }),
            ],
        };
    }

    private static string Write(string source, TemporaryFolder folder, string fileType, Func<GgufRecipe, GgufRecipe>? change = null)
    {
        var target = Directory.CreateDirectory(folder.File(Guid.NewGuid().ToString("N"))).FullName;
        var recipe = new GgufRecipe { FileName = fileType + ".gguf", FileType = GgufFileType.Find(fileType)! };
        return PlanFiles.Write(GgufConversion.Plan(ModelLocator.FromPath(source), change?.Invoke(recipe) ?? recipe), target).Single();
    }
}

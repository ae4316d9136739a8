using System.Text.Json;
using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Models;
using Plimsoll.Models.Inspection;
using Plimsoll.Quantization.Gguf;
using Plimsoll.Quantization.HuggingFace;
using Plimsoll.Quantization.Output;
using Plimsoll.Quantization.Tests.Gguf;
using Plimsoll.Testing.Builders;

namespace Plimsoll.Quantization.Tests.HuggingFace;

/// <summary>From GGUF back to Hugging Face. The way there is compared with llama.cpp elsewhere, so that a round trip proves the way back.</summary>
public sealed class FromGgufTests
{
    [Theory]
    [InlineData("llama")]
    [InlineData("mixtral")]
    [InlineData("qwen2")]
    [InlineData("qwen3")]
    [InlineData("qwen3_moe")]
    public void A_round_trip_gives_back_every_tensor_and_setting(string modelType)
    {
        using var checkpoint = TinyConfigs.Create(modelType);
        using var folder = new TemporaryFolder();
        var file = Folder(ToGguf(checkpoint.Path, folder, "f32"), folder, "fp32", out var plan);

        Assert.Equal(checkpoint.Tensors.Keys.Where(name => !IsTiedHead(checkpoint.Config, name)).Order(), file.Names.Order());
        Assert.All(file.Names, name => Assert.Equal(checkpoint.Tensors[name].Values, file.Floats(name)));
        Assert.Contains(plan.Notes, note => note.StartsWith("A GGUF file has no tokenizer of Hugging Face", StringComparison.Ordinal));
        // Every setting of the original that transformers would compute with.
        using var before = JsonDocument.Parse(checkpoint.Config);
        using var after = JsonDocument.Parse(File.ReadAllText(folder.File("fp32/config.json")));
        foreach (var key in (string[])["model_type", "hidden_size", "num_hidden_layers", "num_key_value_heads", "rope_theta", "rms_norm_eps", "num_experts_per_tok", "moe_intermediate_size", "tie_word_embeddings", "attention_bias"])
        {
            if (before.RootElement.TryGetProperty(key, out var value))
                Assert.Equal(Text(value), Text(after.RootElement.GetProperty(key)));
        }
        Assert.Empty(CheckpointInspector.Inspect(folder.File("fp32")).Problems);
    }

    [Theory]
    [InlineData("gptq:4bit-g32", "q4_0")]
    [InlineData("ct:w4a16-g32", "q4_0")]
    [InlineData("ct:w8a16-g32", "q8_0")]
    public void Codes_survive_the_way_to_ggml_blocks_and_back(string precision, string type)
    {
        using var checkpoint = new RandomCheckpoint(TinyConfigs.ByModelType["llama"].Insert(1, """ "torch_dtype": "float16", """));
        using var folder = new TemporaryFolder();
        var first = Folder(checkpoint.Path, folder, precision, out _, "first");
        var gguf = ToGguf(folder.File("first"), folder, type, ["attn_", "ffn_"]);
        var last = Folder(gguf, folder, precision, out var plan, "last");

        Assert.Contains(plan.Notes, note => note.StartsWith("14 layers are moved from one layout to the other without any change", StringComparison.Ordinal));
        foreach (var name in first.Names.Where(name => name.Contains("proj.", StringComparison.Ordinal) && !name.EndsWith(".bias", StringComparison.Ordinal)))
            Assert.Equal(first.Bytes(name), last.Bytes(name));
    }

    [Fact]
    public void The_rotary_factors_of_Llama_3_are_recognized()
    {
        const string scaling = """ "rope_scaling": {"rope_type": "llama3", "factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}, """;
        using var checkpoint = new RandomCheckpoint(TinyConfigs.ByModelType["llama"].Insert(1, scaling));
        using var folder = new TemporaryFolder();
        Folder(ToGguf(checkpoint.Path, folder, "f32"), folder, "fp32", out _);
        using var config = JsonDocument.Parse(File.ReadAllText(folder.File("fp32/config.json")));

        Assert.Equal("llama3", config.RootElement.GetProperty("rope_scaling").GetProperty("rope_type").GetString());
        Assert.Equal(32, config.RootElement.GetProperty("rope_scaling").GetProperty("factor").GetDouble());
    }

    [Fact]
    public void K_quants_are_decoded_and_rounded_again_only_when_allowed()
    {
        using var checkpoint = TinyConfigs.Create("qwen3");
        using var folder = new TemporaryFolder();
        var gguf = ToGguf(checkpoint.Path, folder, "q4_k_m");

        Assert.Equal("F16", Folder(gguf, folder, "fp16", out _).TypeOf("model.layers.0.mlp.up_proj.weight"));
        Assert.Contains("is quantized already (Q4_K)", Assert.Throws<QuantizationRefusedException>(() => Folder(gguf, folder, "nf4", out _)).Message);
    }

    [Fact]
    public void Other_architectures_are_refused_by_name()
    {
        using var checkpoint = TinyConfigs.Create("gemma2");
        using var folder = new TemporaryFolder();
        var gguf = ToGguf(checkpoint.Path, folder, "f32");

        var refusal = Assert.Throws<QuantizationRefusedException>(() => HuggingFaceConversion.Plan(ModelLocator.FromPath(gguf), HuggingFaceRecipe.Find("bf16")!));
        Assert.Equal($"{gguf} is a GGUF file of 'gemma2'; only those of llama, qwen2, qwen3, qwen3moe can be written for Hugging Face. Convert the original checkpoint", refusal.Message);
    }

    [Fact]
    public void A_real_file_is_written_with_the_settings_of_its_metadata()
    {
        var gguf = SharedData.Require("models/stories260k/stories260K-F16.gguf");
        using var folder = new TemporaryFolder();
        var file = Folder(gguf, folder, "fp16", out _);
        using var config = JsonDocument.Parse(File.ReadAllText(folder.File("fp16/config.json")));

        // dim 64, ffn 172, 5 layers, 8 and 4 heads, 512 tokens.
        Assert.Equal((64, 172, 5), (Number("hidden_size"), Number("intermediate_size"), Number("num_hidden_layers")));
        Assert.Equal((8, 4, 512), (Number("num_attention_heads"), Number("num_key_value_heads"), Number("vocab_size")));
        Assert.Equal([32L, 64L], file.ShapeOf("model.layers.4.self_attn.k_proj.weight"));
        Assert.Equal(2 + 5 * 9 + (file.Has("lm_head.weight") ? 1 : 0), file.Names.Count());

        int Number(string key) => config.RootElement.GetProperty(key).GetInt32();
    }

    private static string ToGguf(string source, TemporaryFolder folder, string type, string[]? parts = null)
    {
        var target = Directory.CreateDirectory(folder.File("gguf-" + type)).FullName;
        var recipe = new GgufRecipe { FileName = "model.gguf", FileType = GgufFileType.Find(type)!, Overrides = [.. (parts ?? []).Select(part => GgufTypeOverride.Parse($"{part}={type}"))] };
        return PlanFiles.Write(GgufConversion.Plan(ModelLocator.FromPath(source), recipe), target).Single();
    }

    private static TensorFile Folder(string source, TemporaryFolder folder, string precision, out OutputPlan plan, string? name = null)
    {
        var target = Directory.CreateDirectory(folder.File(name ?? precision)).FullName;
        plan = HuggingFaceConversion.Plan(ModelLocator.FromPath(source), HuggingFaceRecipe.Find(precision)!);
        PlanFiles.WriteFolder(plan, target);
        return TensorFile.Read(target);
    }

    private static bool IsTiedHead(string config, string name) => name == "lm_head.weight" && config.Contains("\"tie_word_embeddings\": true", StringComparison.Ordinal);

    private static string Text(JsonElement value) => value.ValueKind == JsonValueKind.Number ? value.GetSingle().ToString("G", System.Globalization.CultureInfo.InvariantCulture).ToLowerInvariant() : value.ToString().ToLowerInvariant();
}

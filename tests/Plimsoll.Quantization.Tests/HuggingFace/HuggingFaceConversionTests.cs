using System.Text.Json;
using Plimsoll.Models;
using Plimsoll.Quantization.HuggingFace;
using Plimsoll.Quantization.Running;
using Plimsoll.Testing.Builders;

namespace Plimsoll.Quantization.Tests.HuggingFace;

public class HuggingFaceConversionTests
{
    [Fact]
    public void A_cast_changes_the_numbers_and_what_the_configuration_says_of_them()
    {
        using var model = new TinyCheckpoint();
        var file = model.Convert("fp16", out _);

        Assert.All(file.Names, name => Assert.Equal("F16", file.TypeOf(name)));
        Assert.Equal(model.Original.Floats("model.norm.weight"), file.Floats("model.norm.weight"));
        Assert.Equal("float16", Config(model).GetProperty("torch_dtype").GetString());
        Assert.False(Config(model).TryGetProperty("quantization_config", out _));
    }

    [Fact]
    public void A_cast_to_the_same_type_copies_every_byte()
    {
        using var model = new TinyCheckpoint();
        var file = model.Convert("bf16", out _);

        Assert.Equal(model.Original.Names.Order(), file.Names.Order());
        Assert.All(file.Names, name => Assert.Equal(model.Original.Bytes(name), file.Bytes(name)));
    }

    [Fact]
    public void Shards_keep_the_tensors_of_a_layer_together_and_the_index_names_them_all()
    {
        using var model = new TinyCheckpoint();
        model.Convert("gptq:4bit-g128", out _, shardBytes: 20_000);
        using var index = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(model.Target, "model.safetensors.index.json")));
        var map = index.RootElement.GetProperty("weight_map").EnumerateObject().ToDictionary(entry => entry.Name, entry => entry.Value.GetString()!);
        var all = TensorFile.Read(model.Target);

        Assert.Equal(all.Names.Order(), map.Keys.Order());
        Assert.Equal(all.Names.Sum(name => all.Bytes(name).Length), index.RootElement.GetProperty("metadata").GetProperty("total_size").GetInt64());
        Assert.True(map.Values.Distinct().Count() > 4);
        Assert.Matches("^model-00001-of-0000[0-9].safetensors$", map.Values.Order().First());
        foreach (var (module, _, _) in TinyCheckpoint.Layers)
            Assert.Single(((string[])["qweight", "qzeros", "scales", "g_idx"]).Select(part => map[$"{module}.{part}"]).Distinct());
        Assert.Empty(Checkpoints.Checkpoint.Open(model.Target).Problems);
    }

    [Fact]
    public void Small_files_of_the_source_are_taken_over_and_others_are_not()
    {
        using var model = new TinyCheckpoint();
        model.Convert("gptq:4bit-g128", out _);

        Assert.Equal(["config.json", "generation_config.json", "model.safetensors", "quantize_config.json", "special_tokens_map.json"],
            Directory.GetFiles(model.Target).Select(path => Path.GetFileName(path)).Order());
        Assert.Equal(File.ReadAllText(Path.Combine(model.Source, "generation_config.json")), File.ReadAllText(Path.Combine(model.Target, "generation_config.json")));
    }

    [Fact]
    public void A_tied_head_is_named_as_an_exception_though_it_is_not_stored()
    {
        using var model = new TinyCheckpoint(isTied: true);
        var file = model.Convert("nf4", out _);

        Assert.False(file.Has("lm_head.weight"));
        Assert.Equal(["lm_head"], Config(model).GetProperty("quantization_config").GetProperty("llm_int8_skip_modules").EnumerateArray().Select(module => module.GetString()));
    }

    [Fact]
    public void Runs_with_one_thread_and_with_two_write_the_same_bytes()
    {
        using var model = new TinyCheckpoint();
        foreach (var precision in (string[])["nf4-dq", "nvfp4", "gptq:4bit-g32-asym"])
        {
            foreach (var threads in (int[])[1, 2])
            {
                QuantizationRunner.Run(
                    model.Plan(precision), new() { Target = model.File($"{threads}"), Recipe = precision, SourceFiles = [], Threads = threads, Replace = true }, CancellationToken.None);
            }
            Assert.Equal(File.ReadAllBytes(model.File("1/model.safetensors")), File.ReadAllBytes(model.File("2/model.safetensors")));
        }
    }

    [Fact]
    public void Layers_that_a_format_cannot_hold_stay_and_are_named()
    {
        // The down projection has 256 inputs, the others 128.
        using var model = new TinyCheckpoint();
        var plan = model.Plan("awq:4bit-g256");

        Assert.Contains("6 linear layers keep their precision because their inputs are no whole number of groups of 256.", plan.Notes);
        model.Convert("awq:4bit-g256", out _);
        Assert.Contains("model.layers.0.self_attn.q_proj", Config(model).GetProperty("quantization_config").GetProperty("modules_to_not_convert").EnumerateArray().Select(module => module.GetString()));
        Assert.Empty(Models.Inspection.CheckpointInspector.Inspect(model.Target).Problems);
    }

    [Fact]
    public void A_format_that_no_layer_fits_is_refused()
    {
        using var model = new TinyCheckpoint();
        var refusal = Assert.Throws<QuantizationRefusedException>(() => model.Plan("gptq:4bit-g512"));
        Assert.Equal($"nothing in {Path.GetFileName(model.Source)} can be stored as gptq:4bit-g512 because their inputs are no whole number of groups of 512", refusal.Message);
    }

    [Fact]
    public void A_model_without_weights_is_refused()
    {
        using var model = new TinyCheckpoint();
        var shape = ModelLocator.FromPath(Path.Combine(model.Source, "config.json"));
        var refusal = Assert.Throws<QuantizationRefusedException>(() => HuggingFaceConversion.Plan(shape, HuggingFaceRecipe.Find("nf4")!));
        Assert.Contains("is known by its shape only", refusal.Message);
    }

    [Fact]
    public void A_quantized_layer_is_rounded_again_only_when_that_is_allowed()
    {
        using var model = new TinyCheckpoint();
        model.Convert("nf4", out _, target: model.File("first"));

        var refusal = Assert.Throws<QuantizationRefusedException>(() => model.Plan("gptq:4bit-g128", source: model.File("first")));
        Assert.StartsWith("model.layers.0.mlp.down_proj.weight is quantized already (NF4, block 64 (bitsandbytes)) and would be rounded a second time", refusal.Message);
        Assert.True(model.Convert("gptq:4bit-g128", out _, requantize: true, source: model.File("first")).Has("model.layers.0.mlp.up_proj.qweight"));
    }

    [Theory]
    [InlineData("gptq:4bit-g32", "ct:w4a16-g32")]
    [InlineData("ct:w4a16-g32", "gptq:4bit-g32")]
    [InlineData("gptq:4bit-g128", "gptq:4bit-g32")]
    [InlineData("awq:4bit-g32", "gptq:4bit-g32-asym")]
    [InlineData("gptq:4bit-g32-asym", "awq:4bit-g32")]
    [InlineData("ct:w4a16-g64-asym", "awq:4bit-g64")]
    [InlineData("ct:w8a8", "ct:w8a16")]
    public void Codes_move_between_integer_layouts_without_a_change(string from, string to)
    {
        // Scales of a model in FP16 are numbers of both layouts.
        using var model = new TinyCheckpoint(torchType: "float16");
        var before = model.Convert(from, out _, target: model.File("first"));
        var plan = model.Plan(to, source: model.File("first"));
        var after = model.Convert(to, out var report, source: model.File("first"));

        Assert.Contains("7 layers are moved from one layout to the other without any change of their weights.", plan.Notes);
        Assert.Equal(0, report.RelativeError);
        foreach (var (module, _, _) in TinyCheckpoint.Layers)
            Assert.Equal(HuggingFaceFormatTests.Decode(before, module, from), HuggingFaceFormatTests.Decode(after, module, to));
    }

    [Theory]
    // Four scales of 32 inputs are not one of 128; zero points have no place; the FP32 scales are no numbers of BF16.
    [InlineData("gptq:4bit-g32", "gptq:4bit-g128")]
    [InlineData("awq:4bit-g32", "gptq:4bit-g32")]
    [InlineData("bnb-int8", "ct:w8a8")]
    public void What_does_not_fit_the_other_layout_is_refused(string from, string to)
    {
        using var model = new TinyCheckpoint();
        model.Convert(from, out _, target: model.File("first"));
        Assert.Throws<QuantizationRefusedException>(() => model.Plan(to, source: model.File("first")));
    }

    [Fact]
    public void NVFP4_of_ModelOpt_becomes_that_of_compressed_tensors_with_the_reciprocal_scale()
    {
        const string config = """{"quant_method":"modelopt","quant_algo":"NVFP4","group_size":16,"ignore":["lm_head"]}""";
        var random = new Random(3);
        using var model = new TinyCheckpoint(quantization: config, layer: (file, module, outputs, inputs) => file
            .Add(module + ".weight", "U8", [outputs, inputs / 2], [.. Enumerable.Range(0, outputs * inputs / 2).Select(_ => (byte)random.Next(256))])
            .Add(module + ".weight_scale", "F8_E4M3", [outputs, inputs / 16], [.. Enumerable.Range(0, outputs * inputs / 16).Select(_ => (byte)random.Next(1, 0x7E))])
            .AddFloats(module + ".weight_scale_2", [], [0.25f]));
        var file = model.Convert("nvfp4", out var report);

        Assert.Equal(0, report.RelativeError);
        foreach (var (module, _, _) in TinyCheckpoint.Layers)
        {
            Assert.Equal(model.Original.Bytes(module + ".weight"), file.Bytes(module + ".weight_packed"));
            Assert.Equal(model.Original.Bytes(module + ".weight_scale"), file.Bytes(module + ".weight_scale"));
            Assert.Equal(4, file.Floats(module + ".weight_global_scale").Single());
        }
    }

    [Fact]
    public void A_quantized_checkpoint_becomes_a_plain_one()
    {
        using var model = new TinyCheckpoint();
        var packed = model.Convert("gptq:8bit-g128", out _, target: model.File("first"));
        var plain = model.Convert("fp32", out _, source: model.File("first"));

        Assert.Equal(HuggingFaceFormatTests.Decode(packed, "model.layers.0.mlp.up_proj", "gptq:8bit-g128"), plain.Floats("model.layers.0.mlp.up_proj.weight"));
        Assert.False(plain.Has("model.layers.0.mlp.up_proj.qweight"));
        Assert.False(File.Exists(Path.Combine(model.Target, "quantize_config.json")));
    }

    private static JsonElement Config(TinyCheckpoint model)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(model.Target, "config.json")));
        return document.RootElement.Clone();
    }
}

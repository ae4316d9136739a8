using Plimsoll.Models.Inspection;
using Plimsoll.Testing.Builders;

namespace Plimsoll.Models.Tests.Inspection;

public class CheckTests
{
    [Fact]
    public void A_sound_model_has_no_problems()
    {
        var inspection = ModelFolder.Inspect(TinyLlama.Plain(), TinyLlama.Config());
        Assert.Empty(inspection.Problems);
        Assert.Equal((CheckpointKind.Model, "llama", TinyLlama.Parameters, 16.0, 2048L), (inspection.Kind, inspection.Architecture, inspection.Parameters, inspection.BitsPerWeight, inspection.ContextLength));
    }

    [Fact]
    public void Missing_and_foreign_tensors_are_named()
    {
        var tensors = TinyLlama.Plain().Where(tensor => tensor.Name != "model.layers.1.mlp.down_proj.weight").Append(new("model.layers.1.mlp.adapter.weight", "BF16", 8, 256));
        Assert.Equal(
            [
                "Error architecture: 1 tensor is missing that the architecture 'llama' has: model.layers.1.mlp.down_proj.weight.",
                "Warning architecture: 1 tensor is stored that the architecture 'llama' with this configuration does not have (4.00 KiB): model.layers.1.mlp.adapter.weight.",
            ],
            Problems(tensors, TinyLlama.Config()));
    }

    [Fact]
    public void A_whole_model_under_other_names_is_only_noted()
    {
        var inspection = ModelFolder.Inspect(TinyLlama.Plain().Select(tensor => tensor with { Name = tensor.Name.Replace("self_attn", "attention", StringComparison.Ordinal) }), TinyLlama.Config());
        Assert.Empty(inspection.Problems);
        Assert.Equal("8 tensors have names that this architecture is not known by here; the parameter count agrees.", Assert.Single(inspection.Notes));
    }

    [Fact]
    public void A_wrapping_folder_changes_nothing() =>
        Assert.Empty(Problems(TinyLlama.Plain().Select(tensor => tensor with { Name = "language_model." + tensor.Name }), TinyLlama.Config()));

    [Fact]
    public void Wrong_shapes_are_compared_with_the_configuration()
    {
        var tensors = TinyLlama.Plain().Select(tensor => tensor.Name.Contains("k_proj", StringComparison.Ordinal) ? tensor with { Shape = [256, 256] }
            : tensor.Name == "model.layers.0.mlp.down_proj.weight" ? tensor with { Shape = [512, 256] } : tensor);
        Assert.Equal(
            [
                "Error architecture: 2 tensors model.layers.*.self_attn.k_proj.weight: found [256, 256], config.json gives [128, 256].",
                "Error architecture: model.layers.0.mlp.down_proj.weight: found [512, 256], config.json gives [256, 512].",
            ],
            Problems(tensors, TinyLlama.Config()));
    }

    [Fact]
    public void A_tied_head_that_is_stored_again_is_found()
    {
        Assert.Equal(
            ["Warning architecture: lm_head.weight is stored a second time (500.00 KiB) although tie_word_embeddings says that it is model.embed_tokens.weight; loaders ignore it."],
            Problems(TinyLlama.Plain(), TinyLlama.Config(tied: true)));
        // The copy has bytes and no parameters of its own.
        var copied = ModelFolder.Inspect(TinyLlama.Plain(), TinyLlama.Config(tied: true));
        Assert.Equal((TinyLlama.Parameters - 256_000, 2 * TinyLlama.Parameters), (copied.Parameters, copied.WeightBytes));
        Assert.Empty(Problems(TinyLlama.Plain(tied: true), TinyLlama.Config(tied: true)));
    }

    [Fact]
    public void Tensors_that_ZeRO_3_left_empty_are_found()
    {
        var problem = Assert.Single(ModelFolder.Inspect(TinyLlama.Plain().Select(tensor => tensor.Name.Contains("mlp", StringComparison.Ordinal) ? tensor with { Shape = [0] } : tensor), TinyLlama.Config()).Problems, problem => problem.Check == "empty-tensors");
        Assert.StartsWith("6 tensors have no elements (model.layers.0.mlp.gate_proj.weight, ", problem.Message, StringComparison.Ordinal);
        Assert.Equal(6, problem.Tensors.Length);
    }

    [Fact]
    public void Layers_of_another_type_are_found()
    {
        var tensors = TinyLlama.Plain().Select(tensor => tensor.Name == "model.layers.1.mlp.up_proj.weight" ? tensor with { Type = "F32" } : tensor);
        Assert.Equal(["Warning precision: 1 tensor has not the same type in every layer: model.layers.*.mlp.up_proj.weight in BF16 (1) and FP32 (1)."], Problems(tensors, TinyLlama.Config()));
    }

    [Fact]
    public void Prefixes_of_training_wrappers_are_found()
    {
        var problem = Assert.Single(ModelFolder.Inspect(TinyLlama.Plain().Select(tensor => tensor with { Name = "_orig_mod." + tensor.Name })).Problems);
        Assert.Equal("21 names carry the prefix '_orig_mod.' of torch.compile (_orig_mod.model.embed_tokens.weight and 20 more); loaders expect names without it.", problem.Message);
    }

    [Theory]
    [InlineData(1000, "Error vocabulary: the tokenizer (tokenizer.json) has ids up to 1,000, but model.embed_tokens.weight has 1,000 rows.")]
    [InlineData(999, null)]
    public void A_vocabulary_beyond_the_embedding_is_found(int largestId, string? problem)
    {
        using var folder = new ModelFolder(TinyLlama.Plain(), TinyLlama.Config());
        folder.Add("tokenizer.json", $$"""{"added_tokens":[],"model":{"type":"BPE","vocab":{"a":0,"b":{{largestId}} },"merges":[]} }""");
        Assert.Equal(problem is null ? [] : [problem], folder.Inspect().Problems.Select(Text));
    }

    [Fact]
    public void An_added_token_beyond_the_embedding_is_a_warning()
    {
        using var folder = new ModelFolder(TinyLlama.Plain(), TinyLlama.Config());
        folder.Add("tokenizer.json", """{"added_tokens":[{"id":1000,"content":"<image>"}],"model":{"type":"BPE","vocab":{"a":0,"b":1},"merges":[]}}""");
        Assert.Equal(["Warning vocabulary: an added token of the tokenizer (tokenizer.json) has the id 1,000, but model.embed_tokens.weight has 1,000 rows; using it fails."], folder.Inspect().Problems.Select(Text));
    }

    [Fact]
    public void A_broken_tokenizer_is_a_problem_of_the_model_and_not_the_end_of_the_inspection()
    {
        using var folder = new ModelFolder(TinyLlama.Plain(), TinyLlama.Config());
        var problem = Assert.Single(folder.Add("tokenizer.json", """{"model":{"vocab":{"a":"zero"}}}""").Inspect().Problems);
        Assert.Equal("tokenizer", problem.Check);
        Assert.Contains("expected an integer as the id of a token, found String", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_configuration_that_promises_quantized_layers_must_be_kept()
    {
        var layout = QuantizedLayout.Of("gptq-4-g128");
        Assert.Equal(["Error quantization: the configuration says GPTQ 4-bit, group 128, symmetric, but no tensor is quantized."], Problems(TinyLlama.Plain(), TinyLlama.Config(layout.Config)));
        var partly = TinyLlama.Linear((path, outputs, inputs) => path.Contains("layers.1.mlp", StringComparison.Ordinal) ? [new(path + ".weight", "BF16", outputs, inputs)] : layout.Store(path, outputs, inputs));
        Assert.Equal(
            ["Error quantization: 3 layers are not quantized although the configuration says so: model.layers.1.mlp.gate_proj.weight, model.layers.1.mlp.up_proj.weight, model.layers.1.mlp.down_proj.weight."],
            Problems(partly, TinyLlama.Config(layout.Config)));
    }

    [Fact]
    public void Layers_that_the_configuration_leaves_alone_must_be_plain()
    {
        var layout = QuantizedLayout.Of("nf4");
        var config = layout.Config.Replace("\"load_in_4bit\"", "\"llm_int8_skip_modules\":[\"lm_head\",\"q_proj\"],\"load_in_4bit\"", StringComparison.Ordinal);
        Assert.Equal(
            ["Error quantization: 2 layers are quantized that the configuration leaves alone: model.layers.0.self_attn.q_proj.weight, model.layers.1.self_attn.q_proj.weight."],
            Problems(TinyLlama.Linear(layout.Store), TinyLlama.Config(config)));
    }

    /// <summary>One tensor of the layout of one layer is lost, or has another shape.</summary>
    [Theory]
    [InlineData("gptq-4-g128", "scales", null, "INT32 [32, 256] without scales")]
    [InlineData("gptq-4-g128", "qzeros", null, "no qzeros")]
    [InlineData("gptq-4-g128", "qzeros", "2,16", "qzeros [2, 16], expected [2, 32]")]
    [InlineData("gptq-4-g128", "scales", "4,256", "4 groups for 256 inputs, the configuration's group size of 128 gives 2")]
    [InlineData("gptq-3-g64", "g_idx", null, "no g_idx")]
    [InlineData("gptq-8-channel", "scales", "2,256", "2 groups for 256 inputs, the configuration's one scale per row gives 1")]
    [InlineData("awq-4-g64", "qzeros", "4,16", "qzeros [4, 16], expected [4, 32]")]
    [InlineData("awq-4-g64", "scales", "2,256", "2 groups for 256 inputs, the configuration's group size of 64 gives 4")]
    [InlineData("nf4", "weight.absmax", "1000", "1,000 block scales for 65,536 weights, which no block size of bitsandbytes gives")]
    [InlineData("nf4", "weight.quant_state.bitsandbytes__nf4", null, "no quant_state, which tells the shape and the type; transformers and vLLM need it")]
    [InlineData("nf4-dq", "weight.nested_absmax", "3", "nested_absmax of 3, expected 4, one per 256 block scales")]
    [InlineData("llm-int8", "SCB", "255", "SCB [255], expected [256]")]
    [InlineData("ct-w4a16-g128", "weight_scale", null, "no weight_scale")]
    [InlineData("ct-w4a16-g128", "weight_scale", "256,4", "weight_scale [256, 4], expected [256, 2]")]
    [InlineData("ct-w3a16-asym", "weight_zero_point", null, "no weight_zero_point")]
    [InlineData("ct-w8a8", "weight_scale", null, "INT8 without scales")]
    [InlineData("fp8-block", "weight_scale_inv", null, "FP8_E4M3 without scales")]
    [InlineData("fp8-block", "weight_scale_inv", "4,4", "scales [4, 4], expected [2, 2] for blocks of 128×128")]
    [InlineData("fp8-channel", "weight_scale", "100", "scales [100] fit neither the tensor [256, 256], its rows nor square blocks of it")]
    [InlineData("nvfp4-ct", "weight_global_scale", null, "NVFP4 without weight_scale_2 or weight_global_scale, the scale of the whole tensor")]
    [InlineData("nvfp4-modelopt", "weight_scale", "256,8", "2,048 scales, expected 4,096, one per 16 weights")]
    [InlineData("mxfp4-ct", "weight_scale", "256,16", "4,096 scales, expected 2,048, one per 32 weights")]
    public void Damage_to_a_quantized_layer_is_found(string layoutName, string part, string? shape, string problem)
    {
        const string path = "model.layers.1.self_attn.o_proj";
        var layout = QuantizedLayout.Of(layoutName);
        var tensors = TinyLlama.Linear(layout.Store)
            .Where(tensor => shape is not null || tensor.Name != $"{path}.{part}")
            .Select(tensor => tensor.Name == $"{path}.{part}" ? tensor with { Shape = [.. shape!.Split(',').Select(long.Parse)] } : tensor);
        Assert.Contains($"Error quantization: {path}.weight: {problem}.", Problems(tensors, TinyLlama.Config(layout.Config)));
    }

    [Theory]
    [InlineData("gptq-4-g128", "\"bits\":4", "\"bits\":8", "14 parameters, first model.layers.0.self_attn.q_proj.weight: packed with 4 bits, the configuration says 8.")]
    [InlineData("fp8-block", "[128,128]", "[64,64]", "4 parameters, first model.layers.0.self_attn.q_proj.weight: scales [2, 2], expected [4, 4] for blocks of 64×64.")]
    public void A_configuration_that_contradicts_the_shapes_is_found(string layoutName, string right, string wrong, string problem)
    {
        var layout = QuantizedLayout.Of(layoutName);
        var problems = Problems(TinyLlama.Linear(layout.Store), TinyLlama.Config(layout.Config.Replace(right, wrong, StringComparison.Ordinal)));
        Assert.Contains("Error quantization: " + problem, problems);
    }

    [Fact]
    public void Scales_whose_weight_is_gone_are_found()
    {
        var layout = QuantizedLayout.Of("fp8-block");
        var problems = Problems(TinyLlama.Linear(layout.Store).Where(tensor => tensor.Name != "model.layers.0.mlp.up_proj.weight"), TinyLlama.Config(layout.Config));
        Assert.Contains("Error quantization: 1 scale or zero point has no weight beside it: model.layers.0.mlp.up_proj.weight_scale_inv.", problems);
    }

    private static IEnumerable<string> Problems(IEnumerable<StoredTensor> tensors, string? config) => ModelFolder.Inspect(tensors, config).Problems.Select(Text);

    private static string Text(InspectionProblem problem) => $"{problem.Severity} {problem.Check}: {problem.Message}";
}

using Plimsoll.Checkpoints;
using Plimsoll.Models.Inspection;
using Plimsoll.Testing.Builders;

namespace Plimsoll.Models.Tests.Inspection;

public class FileInspectionTests
{
    [Fact]
    public void A_missing_shard_is_a_problem_and_the_architecture_still_gives_the_count()
    {
        using var folder = new TemporaryFolder();
        var tensors = TinyLlama.Plain().ToList();
        folder.Write("config.json", TinyLlama.Config());
        folder.Write("model-00001-of-00002.safetensors", SafetensorsBuilder.File(tensors.Take(10)));
        folder.Write("model.safetensors.index.json", Index(tensors, index => index < 10 ? "model-00001-of-00002.safetensors" : "model-00002-of-00002.safetensors"));
        var inspection = CheckpointInspector.Inspect(folder.Path);
        Assert.Equal(["1 of 2 files are missing: model-00002-of-00002.safetensors."], inspection.Problems.Select(problem => problem.Message));
        Assert.Equal((TinyLlama.Parameters, "of the architecture, as files are missing", (double?)null), (inspection.Parameters, inspection.ParametersNote, inspection.BitsPerWeight));
    }

    [Fact]
    public void What_the_index_does_not_list_is_missing_from_the_architecture()
    {
        using var folder = new TemporaryFolder();
        var tensors = TinyLlama.Plain().Where(tensor => tensor.Name != "model.norm.weight").Append(new("visual.patch.weight", "BF16", 4, 4)).ToList();
        folder.Write("config.json", TinyLlama.Config());
        folder.Write("model.safetensors.index.json", Index(tensors, _ => "model-00001-of-00001.safetensors"));
        var inspection = CheckpointInspector.Inspect(folder.Path);
        Assert.Equal(
            ["1 of 1 files are missing: model-00001-of-00001.safetensors.", "1 tensor is missing that the architecture 'llama' has: model.norm.weight."],
            inspection.Problems.Select(problem => problem.Message));
        Assert.EndsWith("; the index lists 1 more tensors, which are not counted (visual.patch.weight)", inspection.ParametersNote, StringComparison.Ordinal);
    }

    [Fact]
    public void Experts_that_are_missing_are_counted()
    {
        const string config = """
            { "model_type": "mixtral", "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 1, "num_attention_heads": 4, "num_key_value_heads": 2,
              "vocab_size": 100, "num_local_experts": 4, "num_experts_per_tok": 2 }
            """;
        IEnumerable<StoredTensor> tensors =
        [
            new("model.embed_tokens.weight", "BF16", 100, 64), new("lm_head.weight", "BF16", 100, 64), new("model.norm.weight", "BF16", 64),
            new("model.layers.0.input_layernorm.weight", "BF16", 64), new("model.layers.0.post_attention_layernorm.weight", "BF16", 64),
            new("model.layers.0.self_attn.q_proj.weight", "BF16", 64, 64), new("model.layers.0.self_attn.k_proj.weight", "BF16", 32, 64),
            new("model.layers.0.self_attn.v_proj.weight", "BF16", 32, 64), new("model.layers.0.self_attn.o_proj.weight", "BF16", 64, 64),
            new("model.layers.0.block_sparse_moe.gate.weight", "BF16", 4, 64),
            .. Enumerable.Range(0, 4).SelectMany(expert => new StoredTensor[]
            {
                new($"model.layers.0.block_sparse_moe.experts.{expert}.w1.weight", "BF16", 128, 64), new($"model.layers.0.block_sparse_moe.experts.{expert}.w2.weight", "BF16", 64, 128),
                new($"model.layers.0.block_sparse_moe.experts.{expert}.w3.weight", "BF16", 128, 64),
            }),
        ];
        var whole = ModelFolder.Inspect(tensors, config);
        Assert.Empty(whole.Problems);
        Assert.Equal(2 * 6400 + 3 * 64 + 2 * 4096 + 2 * 2048 + 256 + 4 * 3 * 8192, whole.Parameters);
        var problem = Assert.Single(ModelFolder.Inspect(tensors.Where(tensor => !tensor.Name.Contains("experts.3.w2", StringComparison.Ordinal)), config).Problems);
        Assert.Equal("1 tensor is missing that the architecture 'mixtral' has: model.layers.0.block_sparse_moe.experts.*.w2.weight (1 of 4 experts).", problem.Message);
    }

    [Fact]
    public void A_configuration_alone_is_described()
    {
        using var folder = new TemporaryFolder();
        var inspection = CheckpointInspector.Inspect(folder.Write("config.json", TinyLlama.Config(QuantizedLayout.Of("awq-4-g64").Config)));
        Assert.Equal((CheckpointKind.Configuration, "llama", TinyLlama.Parameters, "awq:4bit-g64"), (inspection.Kind, inspection.Architecture, inspection.Parameters, inspection.Precision));
        Assert.Null(inspection.Checkpoint);
    }

    [Fact]
    public void A_file_of_settings_that_describe_no_model_is_refused()
    {
        using var folder = new TemporaryFolder();
        Assert.Contains("expected a configuration with model_type, or one of a quantizer, found neither",
            Assert.Throws<CheckpointFormatException>(() => CheckpointInspector.Inspect(folder.Write("settings.json", """{ "color": "red" }"""))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_unknown_architecture_is_inspected_all_the_same()
    {
        var inspection = ModelFolder.Inspect(TinyLlama.Plain(), """{ "model_type": "something_new", "hidden_size": 256 }""");
        Assert.Equal(("something_new", TinyLlama.Parameters, (ModelShape?)null), (inspection.Architecture, inspection.Parameters, inspection.Shape));
        Assert.Equal("2 layers and an embedding of 1000 x 256, by the tensors' names", inspection.TensorOutline);
        Assert.StartsWith("What the architecture expects is not known: The architecture 'something_new' is not known", Assert.Single(inspection.Notes), StringComparison.Ordinal);
        Assert.Empty(inspection.Problems);
    }

    [Fact]
    public void An_adapter_of_PEFT_is_called_one()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("adapter_model.safetensors", SafetensorsBuilder.File([new("base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight", "F32", 8, 256), new("base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight", "F32", 256, 8)]));
        var inspection = CheckpointInspector.Inspect(path);
        Assert.Equal((CheckpointKind.Adapter, 4096L), (inspection.Kind, inspection.Parameters));
    }

    [Theory]
    [InlineData(new[] { "exp_avg", "exp_avg_sq", "step" }, "Adam or AdamW")]
    [InlineData(new[] { "exp_avg" }, "Lion")]
    [InlineData(new[] { "momentum_buffer" }, "SGD with momentum")]
    [InlineData(new[] { "exp_avg_sq_row", "exp_avg_sq_col" }, "Adafactor")]
    public void An_optimizer_is_told_by_what_it_keeps(string[] moments, string optimizer)
    {
        var tensors = TinyLlama.Plain().Select(tensor => tensor with { Name = "model." + tensor.Name }).Concat(moments.Select(moment => new StoredTensor($"optimizer.state.0.{moment}", "F32", 256)));
        var inspection = ModelFolder.Inspect(tensors);
        Assert.Equal((CheckpointKind.TrainingState, TinyLlama.Parameters, 1024L * moments.Length), (inspection.Kind, inspection.Parameters, inspection.OptimizerBytes));
        Assert.Contains(optimizer, Assert.Single(inspection.Notes), StringComparison.Ordinal);
    }

    [Fact]
    public void Shared_checkpoints_are_what_their_makers_say()
    {
        // karpathy/tinyllamas: 260K parameters, tied; the GGUF stores the head again and a rope table is not in it.
        var stories = CheckpointInspector.Inspect(SharedData.Require("models/stories260k/stories260K.pt"));
        Assert.Equal((CheckpointKind.Tensors, 260_032L), (stories.Kind, stories.Parameters));
        var converted = CheckpointInspector.Inspect(SharedData.Require("models/stories260k/stories260K-f32.gguf"));
        Assert.Equal(stories.Parameters + 512 * 64, converted.Parameters);
        Assert.Empty(converted.Problems);
        // EN10/BabyLlama says 0.93 M; the converted file has the head twice.
        var baby = CheckpointInspector.Inspect(SharedData.Require("models/babyllama-tok105/babyllama-tok105-f32.gguf"));
        Assert.Equal(936_448 + 105 * 128, baby.Parameters);
        var training = CheckpointInspector.Inspect(SharedData.Require("models/llama2xs/ckpt.pt"));
        Assert.Equal((CheckpointKind.TrainingState, 279_232L), (training.Kind, training.Parameters));
        // AdamW keeps two moments of every parameter and one step each for 47 tensors.
        Assert.Equal(2 * 4 * 279_232 + 47 * 4, training.OptimizerBytes);
    }

    [Theory]
    // LLaMA 30B: 32.53 B in llama.cpp's load log. Pythia 410M: 405,334,016 in the table of EleutherAI/pythia's README.
    [InlineData("configs/wizard-vicuna-30b-gptq", 32_528_943_616, "gptq:4bit")]
    [InlineData("configs/pythia-410m", 405_334_016, null)]
    public void Configurations_of_known_models_give_their_published_counts(string path, long parameters, string? precision)
    {
        var inspection = CheckpointInspector.Inspect(SharedData.Require(path));
        Assert.Equal((CheckpointKind.Configuration, parameters, precision), (inspection.Kind, inspection.Parameters, inspection.Precision));
    }

    [Fact]
    public void An_index_without_its_files_is_told_apart_from_a_model()
    {
        var inspection = CheckpointInspector.Inspect(SharedData.Require("configs/qwen-vl-chat-int4-gptq"));
        Assert.Equal((5, 1461, 9_731_786_240), (inspection.Checkpoint!.MissingFiles.Length, inspection.Checkpoint.Index!.WeightMap.Count, inspection.Checkpoint.Index.TotalSize));
        Assert.Equal(9_656_935_168, inspection.Parameters);
        Assert.Equal("of the architecture, as files are missing", inspection.ParametersNote);
        Assert.Equal(["files"], inspection.Problems.Select(problem => problem.Check));
    }

    private static string Index(IReadOnlyList<StoredTensor> tensors, Func<int, string> file) =>
        $$"""{"metadata":{"total_size":{{tensors.Sum(tensor => tensor.Bytes)}}},"weight_map":{{{string.Join(',', tensors.Select((tensor, index) => $"\"{tensor.Name}\":\"{file(index)}\""))}}} }""";
}

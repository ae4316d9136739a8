using System.Text;
using System.Text.Json;
using Plimsoll.Checkpoints.HuggingFace;
using Plimsoll.Models;
using Plimsoll.Planning.Weights;

namespace Plimsoll.Planning.Tests.Weights;

/// <summary>What quantization configurations say, layer by layer: the bytes are added up by hand from the layouts of their writers.</summary>
public class ConfiguredSchemeTests
{
    private const long Hidden = 512, Width = 1024, Vocabulary = 1000, Layers = 2, KeyValue = 128;

    private const long Attention = Layers * (2 * Hidden * Hidden + 2 * KeyValue * Hidden);

    private const long FeedForward = Layers * 3 * Hidden * Width;

    /// <summary>Embedding, head and norms.</summary>
    private const long Rest = 2 * Vocabulary * Hidden + (2 * Layers + 1) * Hidden;

    private static readonly ModelShape Model = TestShapes.Dense("llama", hidden: 512, layers: 2, heads: 8, keyValueHeads: 2, width: 1024, vocabulary: 1000, context: 2048);

    [Fact]
    public void Listed_modules_keep_16_bits() => Assert.Equal(
        2 * (Rest + Attention) + FeedForward * 9 / 16 + 3 * Layers * 8,
        Bytes("""{ "quant_method": "modelopt", "quant_algo": "NVFP4", "ignore": ["lm_head", "model.layers.*.self_attn*"] }"""));

    [Fact]
    public void Mixed_precision_stores_each_layer_as_it_is_listed() => Assert.Equal(
        2 * (Rest + (Attention + FeedForward) / 2) + (Attention / 2 + 4 * 4) + (FeedForward / 2 * 9 / 16 + 3 * 8),
        Bytes("""
            { "quant_method": "modelopt", "quant_algo": "MIXED_PRECISION", "quantized_layers": {
                "model.language_model.layers.0.self_attn.q_proj": { "quant_algo": "FP8" }, "model.language_model.layers.0.self_attn.k_proj": { "quant_algo": "FP8" },
                "model.language_model.layers.0.self_attn.v_proj": { "quant_algo": "FP8" }, "model.language_model.layers.0.self_attn.o_proj": { "quant_algo": "FP8" },
                "model.language_model.layers.0.mlp": { "quant_algo": "NVFP4", "group_size": 16 } } }
            """));

    [Fact]
    public void Eight_bits_of_bitsandbytes_are_a_byte_a_weight_and_a_scale_a_row() => Assert.Equal(
        2 * Rest + Attention + FeedForward + 4 * Layers * (2 * Hidden + 2 * KeyValue + 2 * Width + Hidden),
        Bytes("""{ "quant_method": "bitsandbytes", "load_in_8bit": true }"""));

    [Fact]
    public void Layers_without_a_group_have_a_scale_a_row() => Assert.Equal(
        PrecisionScheme.Find("gptq:4bit-g-1")!.Apply(Model).Total.Bytes, Bytes("""{ "quant_method": "gptq", "bits": 4, "group_size": -1 }"""));

    [Theory]
    [InlineData("""{ "quant_method": "awq", "bits": 4, "group_size": 64, "zero_point": true, "version": "gemm" }""", "awq:4bit-g64")]
    [InlineData("""{ "quant_method": "bitsandbytes", "load_in_4bit": true, "bnb_4bit_quant_type": "nf4", "bnb_4bit_use_double_quant": true }""", "nf4-dq")]
    [InlineData("""{ "quant_method": "fp8", "weight_block_size": [128, 128] }""", "fp8:block128")]
    [InlineData("""{ "quant_method": "fp8" }""", "fp8:tensor")]
    public void What_a_name_stands_for_is_what_the_configuration_gives(string quantization, string name) =>
        Assert.Equal(PrecisionScheme.Find(name)!.Apply(Model).Total, Plan(quantization).Total);

    /// <summary>MLX: two 16-bit numbers a group of 64.</summary>
    [Fact]
    public void Groups_of_MLX_are_counted_to_the_byte() => Assert.Equal(
        2 * Rest + (Attention + FeedForward) * 9 / 16,
        Plan("""{ "group_size": 64, "bits": 4 }""", section: "quantization").Total.Bytes);

    [Fact]
    public void A_layout_that_is_not_modelled_is_an_approximation_and_says_so() =>
        Assert.Contains(Plan("""{ "quant_method": "quanto", "weights": "int4" }""").Notes, note => note.Contains("not modelled to the byte", StringComparison.Ordinal));

    [Fact]
    public void An_unknown_method_is_refused_by_its_name() =>
        Assert.Contains("newquant", Assert.Throws<PrecisionNotApplicableException>(() => Plan("""{ "quant_method": "newquant", "bits": 4 }""")).Message);

    /// <summary>Names of experts one by one, where the library keeps them in one parameter.</summary>
    [Fact]
    public void Lists_of_single_experts_hold_for_the_stack_of_them()
    {
        var stack = new TensorShape { Name = "model.layers.0.mlp.experts.gate_up_proj", Dimensions = [8, 2048, 512], Role = TensorRole.Expert, IsLinear = true };
        var model = Model with { Tensors = [stack] };
        Assert.Equal(
            8 * 2048 * 512 * 2L,
            new ConfiguredScheme(Read("""{ "quant_method": "modelopt", "quant_algo": "NVFP4", "exclude_modules": ["model.layers.0.mlp.experts.*.up_proj"] }""", "quantization_config")).Apply(model).Total.Bytes);
    }

    /// <summary>A published checkpoint: the sum of its files against what its configuration gives. The quantizer wrote biases of zeros where layers have none.</summary>
    [Fact]
    public void A_published_checkpoint_has_the_bytes_that_its_configuration_gives()
    {
        var folder = SharedData.Require("configs/qwen-vl-chat-int4-gptq");
        var located = ModelLocator.FromPath(Path.Combine(folder, "config.json"));
        using var index = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "model.safetensors.index.json")));
        var zeros = 32 * (4096 + 2 * 11008 + 4096) * 2L;
        Assert.Equal(index.RootElement.GetProperty("metadata").GetProperty("total_size").GetInt64(), new ConfiguredScheme(located.Quantization!).Apply(located.Shape).Total.Bytes + zeros);
    }

    private static long Bytes(string quantization) => Plan(quantization).Total.Bytes;

    private static WeightSet Plan(string quantization, string section = "quantization_config") => new ConfiguredScheme(Read(quantization, section)).Apply(Model);

    private static QuantizationConfig Read(string quantization, string section) =>
        QuantizationConfig.Find(ModelConfig.Parse("config.json", Encoding.UTF8.GetBytes($$"""{ "model_type": "llama", "{{section}}": {{quantization}} }""")))!;
}

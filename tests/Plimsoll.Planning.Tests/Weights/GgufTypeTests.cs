using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Checkpoints.HuggingFace;
using Plimsoll.Models;
using Plimsoll.Models.Catalog;
using Plimsoll.Numerics;
using Plimsoll.Planning.Weights;
using Plimsoll.Planning.Weights.Gguf;

namespace Plimsoll.Planning.Tests.Weights;

/// <summary>Tensor by tensor against llama.cpp's own snapshots of its type selection.</summary>
public class GgufTypeTests
{
    [Theory]
    [MemberData(nameof(HandMade))]
    public void Every_tensor_gets_the_type_that_llama_cpp_gives_it(string model, string fileType) => Check(model, Shape(model), fileType);

    public static TheoryData<string, string> HandMade => Cases("qwen3-0.6b", "qwen3-14b", "meta-llama-3.1-70b-instruct");

    [Theory]
    [MemberData(nameof(FromConfigurations))]
    public void Every_tensor_of_a_model_read_from_its_configuration_gets_the_type_that_llama_cpp_gives_it(string model, string fileType) =>
        Check(model, Shape(model), fileType);

    public static TheoryData<string, string> FromConfigurations => Cases("deepseek-v3.1", "gemma-3-4b-it", "gpt-oss-120b", "nvidia-nemotron-3-nano-30b-a3b", "qwen3.6-27b", "qwen3.5-397b-a17b", "qwen3-coder-next", "glm-4.6v");

    /// <summary>stories260K quantized with llama.cpp's llama-quantize (February 2025): rows of 64 and 172 elements, which no K-quant divides.</summary>
    [Fact]
    public void A_tiny_model_falls_back_exactly_as_llama_quantize_did()
    {
        var tiny = TestShapes.Dense("llama", hidden: 64, layers: 5, heads: 8, keyValueHeads: 4, width: 172, vocabulary: 512, context: 512);
        var weights = PrecisionScheme.Find("gguf:q4_k_m")!.Apply(tiny);
        var types = weights.Tensors.GroupBy(tensor => $"{tensor.StoredName!.Split('.')[^2]} {tensor.Format.Name}").Select(group => $"{group.Key} {group.Count()}").Order(StringComparer.Ordinal);
        Assert.Equal(
            [
                "attn_k Q5_0 5", "attn_norm FP32 5", "attn_output Q5_0 5", "attn_q Q5_0 5", "attn_v Q5_0 3", "attn_v Q8_0 2", "ffn_down FP16 5", "ffn_gate Q5_0 5",
                "ffn_norm FP32 5", "ffn_up Q5_0 5", "output Q8_0 1", "output_norm FP32 1", "token_embd Q5_0 1",
            ],
            types);
    }

    private static ModelShape Shape(string model) => model switch
    {
        // The snapshot was taken from a file that stores the tied head a second time.
        "qwen3-0.6b" => TestShapes.Qwen3_0_6B,
        "qwen3-14b" => TestShapes.Qwen3_14B,
        "meta-llama-3.1-70b-instruct" => TestShapes.Llama31_70B,
        "deepseek-v3.1" => Catalog("DeepSeek-V3"),
        "gemma-3-4b-it" => Catalog("gemma-3-4b-it"),
        "gpt-oss-120b" => Catalog("gpt-oss-120b"),
        "nvidia-nemotron-3-nano-30b-a3b" => Catalog("NVIDIA-Nemotron-3-Nano-30B-A3B-BF16"),
        // Qwen3.6 27B has the shape of Qwen3.5 27B, and GLM-4.6V that of GLM-4.5-Air.
        "qwen3.6-27b" => Catalog("Qwen3.5-27B"),
        "qwen3.5-397b-a17b" => Catalog("Qwen3.5-397B-A17B"),
        "glm-4.6v" => Catalog("GLM-4.5-Air"),
        "qwen3-coder-next" => Read("""
            {"model_type":"qwen3_next","hidden_size":2048,"intermediate_size":5120,"num_hidden_layers":48,"num_attention_heads":16,"num_key_value_heads":2,"head_dim":256,
             "vocab_size":151936,"max_position_embeddings":262144,"full_attention_interval":4,"linear_conv_kernel_dim":4,"linear_key_head_dim":128,
             "linear_num_key_heads":16,"linear_num_value_heads":32,"linear_value_head_dim":128,"decoder_sparse_step":1,"moe_intermediate_size":512,
             "num_experts":512,"num_experts_per_tok":10,"shared_expert_intermediate_size":512}
            """),
        _ => throw new ArgumentException(model),
    };

    /// <summary>The files of the snapshots have no next-token-prediction layers.</summary>
    private static ModelShape Catalog(string name)
    {
        var shape = ModelCatalog.Default.Find(name)!.Shape;
        return shape with { Tensors = [.. shape.Tensors.Where(tensor => tensor.Role != TensorRole.NextToken)] };
    }

    private static ModelShape Read(string json) => ModelShapeReader.FromConfig(ModelConfig.Parse("config.json", Encoding.UTF8.GetBytes(json)), "test", "config.json");

    private static void Check(string model, ModelShape shape, string fileType)
    {
        var (hash, counts) = Expected[(model, fileType)];
        var type = GgufFileType.Find(fileType)!;
        var layout = GgufLayout.Of(shape);
        var types = new GgufMix(type, layout.Facts, new()).Assign(layout.Tensors);
        var changed = layout.Tensors.Zip(types)
            .Where(pair => pair.First.AllowsQuantization && pair.Second != type.DefaultType)
            .Select(pair => (pair.First.Name, Type: LlamaCppName(pair.Second)))
            .ToList();
        var actualCounts = string.Join(' ', changed.GroupBy(pair => pair.Type).OrderBy(group => group.Key, StringComparer.Ordinal).Select(group => $"{group.Key}={group.Count()}"));
        var lines = string.Concat(changed.Select(pair => $"{pair.Name} {pair.Type}\n"));
        Assert.Equal(counts, actualCounts);
        Assert.True(hash == Hash(lines), $"the types of {model} in {fileType} differ in their places:\n{lines}");
    }

    private static string LlamaCppName(NumberFormat format) => format.Name switch
    {
        "FP16" => "f16",
        "NVFP4_GGML" => "nvfp4",
        var name => name.ToLowerInvariant(),
    };

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..16];

    private static TheoryData<string, string> Cases(params string[] models) =>
        [.. Expected.Keys.Where(key => models.Contains(key.Model)).Select(key => new TheoryDataRow<string, string>(key.Model, key.FileType))];

    private static readonly Dictionary<(string Model, string FileType), (string Hash, string Counts)> Expected = ReadExpected();

    private static Dictionary<(string, string), (string, string)> ReadExpected([CallerFilePath] string here = "")
    {
        var facts = new Dictionary<(string, string), (string, string)>();
        var model = "";
        foreach (var line in File.ReadLines(Path.Combine(Path.GetDirectoryName(here)!, "LlamaCppTensorTypes.txt")))
        {
            if (line.StartsWith("model ", StringComparison.Ordinal))
                model = line[6..];
            else if (line.Length > 0 && line[0] != '#')
            {
                var parts = line.Split(' ', 3);
                facts[(model, parts[0])] = (parts[1], parts[2].Trim());
            }
        }
        return facts;
    }
}

using System.Globalization;
using System.Text;
using System.Text.Json;
using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Checkpoints.HuggingFace;
using Plimsoll.Models;
using Plimsoll.Planning.Weights.Gguf;
using Plimsoll.Quantization.Gguf.Architectures;

namespace Plimsoll.Quantization.Tests.Gguf;

/// <summary>Keys and tensor names of real models against what ollama's converter wrote (its own test data).</summary>
public sealed class RealConversionTests
{
    /// <summary>The published configurations, without what no key depends on.</summary>
    private static readonly Dictionary<string, string> Configs = new()
    {
        ["Meta-Llama-3-8B-Instruct"] = """
            {"model_type": "llama", "attention_bias": false, "hidden_size": 4096, "intermediate_size": 14336, "max_position_embeddings": 8192, "num_attention_heads": 32, "num_hidden_layers": 32,
             "num_key_value_heads": 8, "rms_norm_eps": 1e-05, "rope_scaling": null, "rope_theta": 500000.0, "tie_word_embeddings": false, "vocab_size": 128256}
            """,
        ["Mixtral-8x7B-Instruct-v0.1"] = """
            {"model_type": "mixtral", "hidden_size": 4096, "intermediate_size": 14336, "max_position_embeddings": 32768, "num_attention_heads": 32, "num_experts_per_tok": 2, "num_hidden_layers": 32,
             "num_key_value_heads": 8, "num_local_experts": 8, "rms_norm_eps": 1e-05, "rope_theta": 1000000.0, "sliding_window": null, "tie_word_embeddings": false, "vocab_size": 32000}
            """,
        ["Phi-3-mini-128k-instruct"] = """
            {"model_type": "phi3", "hidden_size": 3072, "intermediate_size": 8192, "max_position_embeddings": 131072, "num_attention_heads": 32, "num_hidden_layers": 32, "num_key_value_heads": 32,
             "original_max_position_embeddings": 4096, "rms_norm_eps": 1e-05, "rope_theta": 10000.0, "sliding_window": 262144, "tie_word_embeddings": false, "vocab_size": 32064,
             "rope_scaling": {"type": "longrope", "long_factor": [FACTORS], "short_factor": [FACTORS]}}
            """,
        ["Qwen2.5-0.5B-Instruct"] = """
            {"model_type": "qwen2", "hidden_size": 896, "intermediate_size": 4864, "max_position_embeddings": 32768, "num_attention_heads": 14, "num_hidden_layers": 24, "num_key_value_heads": 2,
             "rms_norm_eps": 1e-06, "rope_theta": 1000000.0, "sliding_window": 32768, "tie_word_embeddings": true, "use_sliding_window": false, "vocab_size": 151936}
            """,
        ["gemma-2b-it"] = """
            {"model_type": "gemma", "head_dim": 256, "hidden_size": 2048, "intermediate_size": 16384, "max_position_embeddings": 8192, "num_attention_heads": 8, "num_hidden_layers": 18,
             "num_key_value_heads": 1, "rms_norm_eps": 1e-06, "rope_theta": 10000.0, "vocab_size": 256000}
            """,
    };

    public static TheoryData<string> Models => [.. Configs.Keys];

    [Theory]
    [MemberData(nameof(Models))]
    public void Every_key_of_a_real_conversion_is_written_with_its_value(string name)
    {
        var (expected, model, architecture) = Read(name);
        var keys = new GgufKeyValues();
        architecture.WriteKeys(model, new(keys, architecture.Name));
        Assert.True(GgufHeader.TryParse("memory", GgufWriter.Layout(keys, []).Header, null, out var header));

        var compared = expected.Where(pair => pair.Key.StartsWith(architecture.Name + ".", StringComparison.Ordinal)).ToList();
        Assert.True(compared.Count >= 8);
        Assert.All(compared, pair => Assert.Equal(double.Parse(pair.Value, CultureInfo.InvariantCulture), header.Metadata.Number(pair.Key) ?? double.NaN, 1e-6));
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Every_tensor_of_a_real_conversion_is_written_under_its_name(string name)
    {
        var (expected, model, architecture) = Read(name);
        var written = GgufLayout.Of(model.Shape).Tensors.Select(tensor => tensor.Name).Concat(architecture.ComputedTensors(model).Select(tensor => tensor.Name));
        var tensors = expected.Keys.Where(key => key.StartsWith("blk.", StringComparison.Ordinal) || key.EndsWith(".weight", StringComparison.Ordinal));
        Assert.Equal(tensors.Order(StringComparer.Ordinal), written.Order(StringComparer.Ordinal));
    }

    private static (Dictionary<string, string> Expected, GgufModel Model, GgufArchitecture Architecture) Read(string name)
    {
        using var json = JsonDocument.Parse(File.ReadAllText(SharedData.Require($"gguf-expected/{name}.json")));
        var config = ModelConfig.Parse("config.json", Encoding.UTF8.GetBytes(Configs[name].Replace("FACTORS", string.Join(',', Enumerable.Repeat("1.0", 48)))));
        var shape = ModelShapeReader.FromConfig(config, name, "config.json");
        return (json.RootElement.EnumerateObject().ToDictionary(member => member.Name, member => member.Value.ToString()), new(shape, config), GgufArchitectures.Of(shape.Architecture));
    }
}

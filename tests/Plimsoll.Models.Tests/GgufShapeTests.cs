using System.Globalization;
using System.Text.Json;
using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Numerics;

namespace Plimsoll.Models.Tests;

public class GgufShapeTests
{
    /// <summary>Keys as ollama's converter wrote them; the counts are those of the checkpoints they were converted from.</summary>
    [Theory]
    [InlineData("gemma-2b-it", 2_506_172_416)]
    [InlineData("Meta-Llama-3-8B-Instruct", 8_030_261_248)]
    [InlineData("Mixtral-8x7B-Instruct-v0.1", 46_702_792_704)]
    [InlineData("Phi-3-mini-128k-instruct", 3_821_079_552)]
    [InlineData("Qwen2.5-0.5B-Instruct", 494_032_768)]
    public void The_keys_of_a_converted_model_give_its_parameters_and_its_blocks(string name, long parameters)
    {
        var (metadata, tensors) = ReadExpected(SharedData.Require($"gguf-expected/{name}.json"));
        var shape = ModelShapeReader.FromGguf(metadata, null, name);
        Assert.Equal(tensors.Count(tensor => tensor.EndsWith(".attn_norm.weight", StringComparison.Ordinal)), shape.Layers.Length);
        Assert.Equal(parameters, shape.Parameters);
    }

    [Fact]
    public void With_headers_the_tensor_list_is_the_files_own()
    {
        var shape = ModelShapeReader.FromGguf(
            Metadata(("general.architecture", "qwen3moe"), ("qwen3moe.block_count", 1L), ("qwen3moe.embedding_length", 64L), ("qwen3moe.attention.head_count", 4L), ("qwen3moe.expert_count", 8L), ("qwen3moe.expert_used_count", 2L), ("qwen3moe.expert_feed_forward_length", 32L)),
            [
                Header("token_embd.weight", 100, 64),
                Header("blk.0.attn_q.weight", 64, 64),
                Header("blk.0.attn_q_norm.weight", 16),
                Header("blk.0.ffn_gate_inp.weight", 8, 64),
                Header("blk.0.ffn_up_exps.weight", 8, 32, 64),
                Header("output_norm.weight", 64),
            ],
            "test");
        Assert.Equal(100, shape.VocabularySize);
        Assert.True(shape.TiedEmbeddings);
        Assert.Equal([TensorRole.Embedding, TensorRole.Attention, TensorRole.Norm, TensorRole.Router, TensorRole.Expert, TensorRole.Norm], shape.Tensors.Select(tensor => tensor.Role));
        Assert.Equal(100 * 64 + 64 * 64 + 16 + 8 * 64 + 8 * 32 * 64 + 64, shape.Parameters);
        Assert.Equal(shape.Parameters - 6 * 32 * 64, shape.ActiveParameters);
        Assert.Equal([false, true, false, true, true, false], shape.Tensors.Select(tensor => tensor.IsLinear));
    }

    [Fact]
    public void An_architecture_nobody_has_seen_is_read_as_well_as_its_keys_describe_it()
    {
        var shape = ModelShapeReader.FromGguf(
            Metadata(("general.architecture", "brandnew"), ("brandnew.block_count", 3L), ("brandnew.embedding_length", 64L), ("brandnew.attention.head_count", 4L), ("brandnew.attention.head_count_kv", 2L)), null, "test");
        Assert.Equal(3, shape.Layers.Length);
        Assert.Equal(Confidence.Low, shape.Confidence);
    }

    [Fact]
    public void A_file_without_its_keys_is_bad_input() =>
        Assert.Contains("block_count", Assert.Throws<CheckpointFormatException>(() => ModelShapeReader.FromGguf(Metadata(("general.architecture", "llama")), null, "test")).Message);

    private static TensorHeader Header(string name, params long[] dimensions) => new(name, NumberFormats.Fp16, [.. dimensions], "test.gguf", 0, 0);

    private static GgufMetadata Metadata(params (string Key, object Value)[] pairs) => new("test.gguf", pairs.ToDictionary(pair => pair.Key, pair => pair.Value));

    /// <summary>The expected files hold every value as text and the vocabulary only as a hash.</summary>
    private static (GgufMetadata Metadata, IReadOnlyList<string> Tensors) ReadExpected(string path)
    {
        using var document = JsonDocument.Parse(File.ReadAllText(path));
        var values = new Dictionary<string, object>();
        var tensors = new List<string>();
        foreach (var pair in document.RootElement.EnumerateObject())
        {
            var text = pair.Value.GetString()!;
            if (pair.Name.EndsWith(".weight", StringComparison.Ordinal) || pair.Name.EndsWith(".bias", StringComparison.Ordinal))
                tensors.Add(pair.Name);
            else
                values[pair.Name] = long.TryParse(text, CultureInfo.InvariantCulture, out var number) ? number : text;
        }
        var architecture = (string)values["general.architecture"];
        if (!values.ContainsKey($"{architecture}.vocab_size"))
            values[$"{architecture}.vocab_size"] = Vocabulary(path);
        return (new(path, values), tensors);
    }

    /// <summary>The published vocabulary sizes.</summary>
    private static long Vocabulary(string path) => Path.GetFileNameWithoutExtension(path) switch
    {
        "gemma-2b-it" => 256000,
        "Meta-Llama-3-8B-Instruct" => 128256,
        "Mixtral-8x7B-Instruct-v0.1" => 32000,
        "Phi-3-mini-128k-instruct" => 32064,
        "Qwen2.5-0.5B-Instruct" => 151936,
        var other => throw new ArgumentOutOfRangeException(nameof(path), other),
    };
}

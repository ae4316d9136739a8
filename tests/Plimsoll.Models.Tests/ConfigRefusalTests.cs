using System.Text;
using System.Text.Json.Nodes;
using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.HuggingFace;
using Plimsoll.Models.Catalog;

namespace Plimsoll.Models.Tests;

public class ConfigRefusalTests
{
    [Fact]
    public void An_unknown_architecture_is_refused_with_the_nearest_known_one()
    {
        var refusal = Assert.Throws<UnknownArchitectureException>(() => Read("""{"model_type":"qwen33"}"""));
        Assert.Equal("qwen33", refusal.ModelType);
        Assert.Equal("The architecture 'qwen33' is not known; the nearest known one is 'qwen3'. A model that resembles Llama can be planned with low confidence by assuming 'llama'.", refusal.Message);
    }

    [Fact]
    public void An_unknown_architecture_can_be_planned_as_Llama_with_low_confidence()
    {
        const string Json = """{"model_type":"brandnew","hidden_size":64,"num_hidden_layers":2,"num_attention_heads":4,"intermediate_size":128,"vocab_size":100}""";
        var shape = ModelShapeReader.FromConfig(Config(Json), "test", "test", assume: "llama");
        Assert.Equal(Confidence.Low, shape.Confidence);
        Assert.Equal("brandnew", shape.Architecture);
        Assert.Contains("as if it were 'llama'", Assert.Single(shape.Notes));
    }

    [Fact]
    public void A_tower_that_was_not_verified_is_left_out_and_said_so()
    {
        var shape = Read("""{"model_type":"internvl","vision_config":{},"text_config":{"model_type":"qwen3","hidden_size":64,"num_hidden_layers":2,"num_attention_heads":4,"intermediate_size":128,"vocab_size":100}}""");
        Assert.Equal(Confidence.Low, shape.Confidence);
        Assert.Equal("Only the language model of 'internvl' is counted, not its vision tower and projector.", Assert.Single(shape.Notes));
        Assert.DoesNotContain(shape.Tensors, tensor => tensor.Role == TensorRole.Tower);
    }

    [Fact]
    public void An_architecture_that_is_known_to_be_underivable_is_refused_with_the_reason() =>
        Assert.Contains("is refused: its block-sparse attention was not verified", Assert.Throws<UnknownArchitectureException>(() => Read("""{"model_type":"phi3small"}""")).Message);

    [Fact]
    public void A_configuration_without_a_model_type_is_read_by_its_class() =>
        Assert.Equal("gpt_neox", Read("""{"architectures":["GPTNeoXForCausalLM"],"hidden_size":64,"num_hidden_layers":2,"num_attention_heads":4,"intermediate_size":128,"vocab_size":100}""").Architecture);

    [Theory]
    [InlineData("hidden_size", "\"large\"", "expected hidden_size to be an integer, found \"large\"")]
    [InlineData("hidden_size", "-1", "hidden_size to be between 0 and")]
    [InlineData("hidden_size", "65", "a divisor of the hidden size 65")]
    [InlineData("hidden_size", "null", "expected the key hidden_size or")]
    [InlineData("num_hidden_layers", "1000000000", "num_hidden_layers to be between 0 and 8192")]
    [InlineData("num_hidden_layers", "2.5", "num_hidden_layers to be an integer")]
    [InlineData("vocab_size", "1e300", "vocab_size to be between")]
    [InlineData("tie_word_embeddings", "\"yes\"", "tie_word_embeddings to be true or false")]
    public void A_wrong_value_is_named_with_what_was_expected(string key, string value, string message)
    {
        var json = JsonNode.Parse("""{"model_type":"llama","hidden_size":64,"num_hidden_layers":2,"num_attention_heads":4,"intermediate_size":128,"vocab_size":100}""")!.AsObject();
        json[key] = JsonNode.Parse(value);
        Assert.Contains(message, Assert.Throws<CheckpointFormatException>(() => Read(json.ToJsonString())).Message);
    }

    [Fact]
    public void A_product_beyond_all_numbers_is_bad_input() => Assert.Throws<CheckpointFormatException>(() => Read(
        """{"model_type":"mixtral","hidden_size":67108864,"num_hidden_layers":8192,"num_attention_heads":1,"head_dim":1,"intermediate_size":67108864,"vocab_size":1,"num_local_experts":8192,"num_experts_per_tok":1}"""));

    /// <summary>Whatever single value of a known configuration is replaced by nonsense, the answer is a shape or one of the two refusals.</summary>
    [Fact]
    public void Nonsense_in_any_one_key_gives_a_shape_or_a_refusal()
    {
        string[] nonsense = ["null", "-1", "0", "1", "7", "1e9", "1e300", "\"x\"", "[]", "[1,\"x\"]", "{}", "true"];
        foreach (var entry in ModelCatalog.Default.Entries.DistinctBy(entry => entry.Architecture))
        {
            var text = entry.Config.Root.GetRawText();
            foreach (var path in Paths(JsonNode.Parse(text)!.AsObject(), ""))
            {
                foreach (var value in nonsense)
                {
                    var root = JsonNode.Parse(text)!.AsObject();
                    var keys = path.Split('/');
                    var parent = keys[..^1].Aggregate(root, (node, key) => node[key]!.AsObject());
                    parent[keys[^1]] = JsonNode.Parse(value);
                    TryRead(root.ToJsonString());
                }
            }
        }
    }

    private static IEnumerable<string> Paths(JsonObject node, string prefix) => node.SelectMany(pair =>
        pair.Value is JsonObject inner ? Paths(inner, $"{prefix}{pair.Key}/").Prepend(prefix + pair.Key) : [prefix + pair.Key]);

    private static void TryRead(string json)
    {
        try
        {
            _ = Read(json).ActiveParameters;
        }
        catch (Exception failure) when (failure is CheckpointFormatException or UnknownArchitectureException)
        {
        }
        catch (Exception failure)
        {
            Assert.Fail($"{failure.GetType().Name}: {failure.Message} for {json[..Math.Min(json.Length, 400)]} {failure.StackTrace}");
        }
    }

    private static ModelShape Read(string json) => ModelShapeReader.FromConfig(Config(json), "test", "test");

    private static ModelConfig Config(string json) => ModelConfig.Parse("test", Encoding.UTF8.GetBytes(json));
}

using System.Text;
using Plimsoll.Checkpoints.HuggingFace;

namespace Plimsoll.Checkpoints.Tests.HuggingFace;

public class ModelConfigTests
{
    [Fact]
    public void The_first_given_name_of_a_fact_wins()
    {
        var config = Parse("""{ "n_layer": 12, "num_hidden_layers": null, "hidden": 64.0 }""");

        Assert.Equal(12, config.Integer("num_hidden_layers", "n_layer"));
        Assert.Equal(64, config.Integer("hidden"));
        Assert.Null(config.Integer("absent", "absent_too"));
    }

    [Theory]
    [InlineData("Integer", "whole number")]
    [InlineData("Number", "a number")]
    [InlineData("Boolean", "true or false")]
    [InlineData("Object", "an object")]
    [InlineData("Integers", "whole number")]
    public void A_value_of_the_wrong_type_names_file_key_and_value(string reader, string expected)
    {
        var config = Parse("""{ "outer": { "key": "thirty-two" } }""").Object("outer")!;

        var failure = Assert.Throws<CheckpointFormatException>(() => reader switch
        {
            "Integer" => config.Integer("key"),
            "Number" => config.Number("key"),
            "Boolean" => config.Boolean("key"),
            "Object" => config.Object("key"),
            _ => (object?)config.Integers("key"),
        });

        Assert.Equal("config.json", failure.Path);
        Assert.Contains("\"outer.key\"", failure.Message);
        Assert.Contains(expected, failure.Message);
        Assert.Contains("\"thirty-two\"", failure.Message);
    }

    [Fact]
    public void A_missing_key_names_every_name_it_may_have()
    {
        var failure = Assert.Throws<CheckpointFormatException>(() => Parse("{}").RequireInteger("hidden_size", "n_embd"));

        Assert.Equal("config.json: expected the key \"hidden_size\" (or \"n_embd\"), found no such key", failure.Message);
    }

    [Theory]
    [InlineData("1000000000000000019884624838656")]
    [InlineData("1e30")]
    [InlineData("1.5")]
    [InlineData("Infinity")]
    public void A_number_that_is_no_64_bit_integer_is_refused_as_one(string number)
    {
        var config = Parse($$"""{ "model_max_length": {{number}} }""");

        Assert.Throws<CheckpointFormatException>(() => config.Integer("model_max_length"));
        Assert.True(config.Number("model_max_length") > 1);
    }

    [Fact]
    public void Infinity_and_NaN_are_read_as_Python_writes_them()
    {
        var config = Parse("""{ "limits": [0.0, Infinity, -Infinity], "eps": NaN, "name": "NaN and Infinity \" NaN", "Infinity": 1 }""");

        Assert.Equal([0, double.PositiveInfinity, double.NegativeInfinity], config.Root.GetProperty("limits").EnumerateArray().Select(value => value.GetDouble()));
        Assert.Null(config.Number("eps"));
        Assert.Equal("NaN and Infinity \" NaN", config.String("name"));
        Assert.Equal(1, config.Integer("Infinity"));
    }

    [Fact]
    public void Of_duplicate_keys_the_last_wins_as_in_Python() => Assert.Equal(2, Parse("""{ "a": 1, "a": 2 }""").Integer("a"));

    [Fact]
    public void A_byte_order_mark_is_skipped() => Assert.Equal(1, Parse("\uFEFF{ \"a\": 1 }").Integer("a"));

    [Theory]
    [InlineData("{ \"a\": 1,\n \"b\": }", 16)]
    [InlineData("{ \"a\": Infinite }", 7)]
    [InlineData("", 0)]
    [InlineData("{ \"a", 4)]
    public void Bad_JSON_is_located(string text, long offset)
    {
        var failure = Assert.Throws<CheckpointFormatException>(() => Parse(text));

        Assert.Equal(offset, failure.Offset);
    }

    [Fact]
    public void Deep_nesting_is_refused_and_does_not_overflow_the_stack() =>
        Assert.Throws<CheckpointFormatException>(() => Parse("{\"a\":" + new string('[', 1_000_000)));

    [Fact]
    public void An_array_is_no_configuration() => Assert.Throws<CheckpointFormatException>(() => Parse("[]"));

    [Fact]
    public void A_single_value_stands_for_all_layers()
    {
        var config = Parse("""{ "one": 8, "many": [8, 4], "names": ["a", "b"], "bad": [8, null] }""");

        Assert.Equal([8], config.Integers("one")!.Value);
        Assert.Equal([8, 4], config.Integers("many")!.Value);
        Assert.Equal(["a", "b"], config.Strings("names")!.Value);
        Assert.Contains("\"bad[1]\"", Assert.Throws<CheckpointFormatException>(() => config.Integers("bad")).Message);
    }

    [Theory]
    [InlineData("""{ "hidden_size": 1, "text_config": { "hidden_size": 2 } }""")]
    [InlineData("""{ "hidden_size": 1, "thinker_config": { "text_config": { "hidden_size": 2 } } }""")]
    [InlineData("""{ "hidden_size": 1, "llm_config": { "hidden_size": 2 } }""")]
    [InlineData("""{ "hidden_size": 2, "text_config": {} }""")]
    [InlineData("""{ "hidden_size": 2, "text_config": null }""")]
    public void The_language_model_inside_a_multimodal_one_is_found(string json) => Assert.Equal(2, Parse(json).Text.Integer("hidden_size"));

    [Fact]
    public void Every_real_configuration_can_be_read()
    {
        var files = Directory.GetFiles(SharedData.Require("configs"), "*.json", SearchOption.AllDirectories);

        Assert.Equal(94, files.Length);
        foreach (var file in files)
            Assert.NotNull(ModelConfig.Parse(file, File.ReadAllBytes(file)).Text);
    }

    [Fact]
    public void The_catalog_of_real_configurations_has_infinities_and_is_read()
    {
        var path = SharedData.Require("catalog/model_configs.json");
        var catalog = ModelConfig.Parse(path, File.ReadAllBytes(path));

        var limits = catalog.Objects().Select(entry => entry.Value.Object("raw")!).Where(raw => raw.Has("time_step_limit"))
            .Select(raw => raw.Root.GetProperty("time_step_limit")[1].GetDouble());

        Assert.Equal(3, limits.Count(double.IsPositiveInfinity));
    }

    [Fact]
    public void Any_cut_of_a_configuration_is_refused_or_read()
    {
        var whole = Encoding.UTF8.GetBytes("""{ "a": [0.0, Infinity], "text_config": { "b": "\u00e9" }, "c": NaN }""");

        for (var length = 0; length < whole.Length; length++)
            Assert.Throws<CheckpointFormatException>(() => ModelConfig.Parse("config.json", whole.AsMemory(0, length)));
    }

    internal static ModelConfig Parse(string json) => ModelConfig.Parse("config.json", Encoding.UTF8.GetBytes(json));
}

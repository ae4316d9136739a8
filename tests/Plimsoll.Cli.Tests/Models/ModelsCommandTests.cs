using System.Text.Json;

namespace Plimsoll.Cli.Tests.Models;

public class ModelsCommandTests
{
    [Fact]
    public void A_part_of_a_name_lists_the_models_that_have_it() => Golden.Match("models-mixtral.txt", Run(0, "models", "mixtral").Out);

    [Fact]
    public void A_whole_name_shows_layers_and_tensors() => Golden.Match("models-gemma-2-2b.txt", Run(0, "models", "google/gemma-2-2b-it").Out);

    [Fact]
    public void A_hybrid_shows_both_kinds_of_layers() => Golden.Match("models-lfm2-1.2b.txt", Run(0, "models", "lfm2-1.2b").Out);

    [Fact]
    public void Json_has_the_same_facts()
    {
        using var document = JsonDocument.Parse(Run(0, "models", "llama-3.1-8b", "--json").Out);
        Assert.Equal("plimsoll.models/1", document.RootElement.GetProperty("schema").GetString());
        var model = Assert.Single(document.RootElement.GetProperty("models").EnumerateArray());
        Assert.Equal("meta-llama/Llama-3.1-8B", model.GetProperty("id").GetString());
        Assert.Equal(8_030_261_248, model.GetProperty("parameters").GetInt64());
        Assert.Equal(131_072, model.GetProperty("kv_cache_per_token_f16_bytes").GetInt64());
        Assert.Equal(12, model.GetProperty("tensors").GetArrayLength());
    }

    [Fact]
    public void Json_of_a_list_leaves_the_tensors_out()
    {
        using var document = JsonDocument.Parse(Run(0, "models", "--json").Out);
        Assert.True(document.RootElement.GetProperty("models").GetArrayLength() >= 300);
        Assert.All(document.RootElement.GetProperty("models").EnumerateArray(), model => Assert.False(model.TryGetProperty("tensors", out _)));
    }

    [Fact]
    public void An_unknown_name_is_answered_no_with_the_closest_names()
    {
        var (output, error) = Run(1, "models", "quen3-8b");
        Assert.Empty(output);
        Assert.StartsWith("plimsoll: no model of the catalog is called 'quen3-8b'\n  Did you mean Qwen3-8B, ", error.ReplaceLineEndings("\n"));
    }

    [Fact]
    public void A_catalog_of_ones_own_wins_over_the_built_in_one()
    {
        using var folder = new TemporaryFolder();
        var file = folder.Write("plimsoll/models.json", """
            { "schema": "plimsoll.model-catalog/1", "models": [ { "id": "me/tiny", "source": "mine",
              "config": { "model_type": "llama", "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 128, "vocab_size": 100 } } ] }
            """);
        Assert.Contains("me/tiny", Run(0, "models", "me/tiny", "--catalog", file).Out);
        Assert.Contains("me/tiny", Run(0, ["models", "tiny"], name => name == "XDG_CONFIG_HOME" ? folder.Path : null).Out);
    }

    [Fact]
    public void A_catalog_that_does_not_exist_is_bad_input() => Assert.Contains("nowhere.json: no such file", Run(3, "models", "--catalog", "nowhere.json").Error);

    private static (string Out, string Error) Run(int exitCode, params string[] args) => Run(exitCode, args, _ => null);

    private static (string Out, string Error) Run(int exitCode, string[] args, Func<string, string?> variable)
    {
        using StringWriter output = new(), error = new();
        var result = CliApplication.Run(args, new CliEnvironment { Out = output, Error = error, Variable = variable });
        Assert.True(result == exitCode, $"exit code {result}\n{output}\n{error}");
        return (output.ToString(), error.ToString());
    }
}

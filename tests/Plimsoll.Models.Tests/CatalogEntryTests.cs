using System.Text;
using Plimsoll.Checkpoints;
using Plimsoll.Models.Catalog;

namespace Plimsoll.Models.Tests;

public class CatalogEntryTests
{
    [Fact]
    public void The_catalog_has_more_than_three_hundred_models_and_each_builds()
    {
        var entries = ModelCatalog.Default.Entries.ToList();
        Assert.True(entries.Count >= 300, $"{entries.Count} models");
        Assert.All(entries, entry =>
        {
            Assert.True(entry.Shape.Parameters > 1_000_000, entry.Id);
            Assert.NotEmpty(entry.FactSource);
            Assert.Equal(entry.Id, ModelCatalog.Default.Find(entry.Id)!.Id);
        });
    }

    [Fact]
    public void Every_shape_obeys_the_laws_of_its_kind()
    {
        foreach (var shape in ModelCatalog.Default.Entries.Select(entry => entry.Shape))
        {
            Assert.True(shape.ActiveParameters <= shape.Parameters, shape.Id);
            Assert.All(shape.Tensors, tensor => Assert.True(tensor.ActiveCount <= tensor.Count && tensor.ElementsOfOne > 0, $"{shape.Id} {tensor.Name}"));
            Assert.Equal(shape.Tensors.Length, shape.Tensors.Select(tensor => tensor.Name).Distinct().Count());
            Assert.Equal(shape.TiedEmbeddings, !shape.Tensors.Any(tensor => tensor.Role == TensorRole.OutputHead && tensor.Name.EndsWith(".weight", StringComparison.Ordinal) && !tensor.Name.Contains("project_out")));
            Assert.All(shape.Tensors.Where(tensor => tensor.Layer is not null), tensor => Assert.InRange(tensor.Layer!.Value, 0, shape.Layers.Length - 1));
            Assert.All(shape.Layers.Where(layer => layer.Attention is not null), layer => Assert.True(layer.Attention!.Heads % layer.Attention.KeyValueHeads == 0, shape.Id));
        }
    }

    /// <summary>Elements per token that other calculators and the engines' logs state.</summary>
    [Theory]
    [InlineData("llama-2-7b", 2 * 32 * 32 * 128)]
    [InlineData("llama-3.1-8b", 2 * 32 * 8 * 128)]
    [InlineData("deepseek-v3", 61 * 576)]
    [InlineData("kimi-k2.6", 35_136)]
    [InlineData("kimi-linear", 4_032)]
    [InlineData("minimax-m2.5", 126_976)]
    [InlineData("qwen3.6-27b", 32_768)]
    [InlineData("nvidia/NVIDIA-Nemotron-3.5-Lightning-30B-A3B", 3_072)]
    [InlineData("gpt-oss-120b", 36_864)]
    [InlineData("mamba-2.8b", 0)]
    public void The_cache_per_token_is_as_published(string name, long elements) => Assert.Equal(elements, ModelCatalog.Default.Find(name)!.Shape.KeyValueElementsPerToken);

    [Theory]
    [InlineData("gemma-2-9b", 42, 21)]
    [InlineData("gemma-3-4b", 34, 29)]
    [InlineData("gemma-3-27b", 62, 52)]
    [InlineData("gpt-oss-20b", 24, 12)]
    [InlineData("command-r7b", 32, 24)]
    [InlineData("llama-4-scout", 48, 36)]
    [InlineData("mistral-7b-v0.1", 32, 32)]
    [InlineData("mistral-7b-v0.3", 32, 0)]
    [InlineData("phi-3-mini-128k", 32, 0)]
    [InlineData("qwen2.5-72b", 80, 0)]
    [InlineData("gemma-4-e2b", 35, 28)]
    public void The_windows_are_in_the_right_layers(string name, int layers, int sliding)
    {
        var shape = ModelCatalog.Default.Find(name)!.Shape;
        Assert.Equal(layers, shape.Layers.Length);
        Assert.Equal(sliding, shape.Layers.Count(layer => layer.Attention!.Window is not null));
    }

    [Fact]
    public void A_users_catalog_wins_over_the_built_in_one()
    {
        var catalog = Load("""{"schema":"plimsoll.model-catalog/1","models":[{"id":"me/Llama-3.1-8B","source":"mine","config":{"model_type":"llama","hidden_size":64,"num_hidden_layers":2,"num_attention_heads":4,"intermediate_size":128,"vocab_size":100}}]}""", ModelCatalog.Default);
        Assert.Equal("me/Llama-3.1-8B", catalog.Find("llama-3.1-8b-instruct")!.Id);
        Assert.Equal("Qwen/Qwen3-8B", catalog.Find("qwen3-8b")!.Id);
        Assert.Single(catalog.Entries, entry => entry.ShortName == "Llama-3.1-8B");
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"schema":"plimsoll.gpus/1","models":[]}""")]
    [InlineData("""{"schema":"plimsoll.model-catalog/1","models":{}}""")]
    [InlineData("""{"schema":"plimsoll.model-catalog/1","models":[1]}""")]
    [InlineData("""{"schema":"plimsoll.model-catalog/1","models":[{"id":1}]}""")]
    [InlineData("""{"schema":"plimsoll.model-catalog/1","models":[{"id":"a","source":"b"}]}""")]
    [InlineData("""{"schema":"plimsoll.model-catalog/1","models":[{"id":"a","aliases":"b"}]}""")]
    [InlineData("""{"schema":"plimsoll.model-catalog/1","models":[{"id":"a"}""")]
    public void A_file_that_is_no_catalog_is_bad_input(string json) => Assert.Throws<CheckpointFormatException>(() => Load(json, null));

    private static ModelCatalog Load(string json, ModelCatalog? below) => ModelCatalog.Load(new MemoryStream(Encoding.UTF8.GetBytes(json)), "test.json", below);
}

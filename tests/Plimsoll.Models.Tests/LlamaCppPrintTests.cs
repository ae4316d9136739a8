using System.Globalization;
using System.Text.Json;

namespace Plimsoll.Models.Tests;

public class LlamaCppPrintTests
{
    [Fact]
    public void Every_logged_header_becomes_a_shape_with_the_logged_number_of_parameters()
    {
        var seen = 0;
        foreach (var (id, arch, parameters) in LoggedHeaders())
        {
            var shape = ModelShapeReader.FromLlamaCppPrint(arch, id, parameters);
            Assert.NotEmpty(shape.Layers);
            seen++;
            // ik_llama.cpp adds split copies of the latent projections to DeepSeek: 671.03 become 672.05 billion.
            if (parameters is { } printed && !shape.Tensors.IsEmpty)
            {
                var trunk = shape.Tensors.Where(tensor => tensor.Role != TensorRole.NextToken).Sum(tensor => tensor.Elements);
                Assert.True(Math.Abs(trunk / printed - 1) < 0.005, $"{id}: built {trunk:N0}, printed {printed:N0}");
            }
        }
        Assert.True(seen > 50, $"only {seen} headers were found");
    }

    [Fact]
    public void Layers_without_attention_have_no_cache()
    {
        var shape = Print("""{"arch":"deci","n_layer":4,"n_embd":128,"n_head":"[4, 0, 4, 0]","n_head_kv":"[2, 0, 2, 0]","n_embd_head_k":32,"n_embd_head_v":32,"n_ff":"[256, 0, 0, 512]","n_vocab":100}""");
        Assert.Equal([true, false, true, false], shape.Layers.Select(layer => layer.Attention is not null));
        Assert.Equal([256, 0, 0, 512], shape.Layers.Select(layer => layer.FeedForward?.Width ?? 0));
    }

    [Fact]
    public void Next_token_layers_are_not_decoder_layers()
    {
        var shape = Print("""{"arch":"qwen35","layers":"64 + 1 MTP","full_attention_interval":4,"heads":24,"kv_heads":4,"n_embd":5120,"ffn":17408,"vocab":248320,"head_dim":256,"ssm":{"conv":4,"inner":6144,"state":128,"groups":16}}""");
        Assert.Equal(64, shape.Layers.Length);
        Assert.Equal(16, shape.Layers.Count(layer => layer.Attention is not null));
        Assert.Equal(48, shape.Layers.Count(layer => layer.Recurrent is not null));
    }

    /// <summary>llama.cpp logs 251.25 MiB for four slots of this model: 30 layers of 2.094 MiB in 32-bit floats.</summary>
    [Fact]
    public void The_state_of_Qwen36_35B_is_what_llama_cpp_logs()
    {
        var shape = Print("""{"arch":"qwen35moe","layers":40,"full_attention_interval":4,"heads":16,"kv_heads":2,"n_embd":2048,"ffn_expert":512,"experts":256,"experts_used":8,"vocab":248320,"head_dim":256,"ssm":{"conv":4,"inner":4096,"state":128,"groups":16}}""");
        var bytes = 4 * 4 * shape.Layers.Sum(layer => layer.Recurrent is { } state ? state.ConvolutionElements + state.StateElements : 0);
        Assert.Equal(251.25, bytes / 1024.0 / 1024.0, 2);
    }

    [Fact]
    public void Gemma4_shares_the_caches_of_its_last_layers_and_has_two_head_dimensions()
    {
        var shape = Print("""{"arch":"gemma4","layers":35,"heads":8,"kv_heads":1,"n_embd":1536,"ffn":12288,"vocab":262144,"window":512,"head_dim_global":512,"head_dim_swa":256,"shared_kv_layers":20}""");
        Assert.Equal(20, shape.Layers.Count(layer => layer.Attention!.SharesKeyValues));
        Assert.All(shape.Layers, layer => Assert.Equal(layer.Attention!.Window is null ? 512 : 256, layer.Attention.KeyHeadDim));
    }

    [Theory]
    [InlineData("""{"arch":"deepseek2","n_layer":61,"n_embd":7168,"n_head":128,"n_head_kv":128,"n_embd_head_k":192,"n_embd_head_v":128,"n_ff":18432,"n_vocab":129280,"n_lora_kv":512}""", true)]
    [InlineData("""{"arch":"deepseek2","n_layer":61,"n_embd":7168,"n_head":128,"n_head_kv":1,"n_embd_head_k":576,"n_embd_head_v":512,"n_embd_head_k_mla":192,"n_embd_head_v_mla":128,"n_ff":18432,"n_vocab":129280,"n_lora_kv":512}""", false)]
    public void Latent_attention_is_read_from_both_layouts_of_the_file(string print, bool everyHead)
    {
        var shape = Print(print);
        Assert.All(shape.Layers, layer =>
        {
            Assert.Equal((128, 192, 128), (layer.Attention!.KeyValueHeads, layer.Attention.KeyHeadDim, layer.Attention.ValueHeadDim));
            Assert.Equal(new LatentAttentionShape(512, 64, layer.Attention.Latent!.QueryRank) { FileCachesEveryHead = everyHead }, layer.Attention.Latent);
        });
    }

    [Theory]
    [InlineData("""{"layers":32,"heads":32}""")]
    [InlineData("""{"see":"model_configs.json"}""")]
    [InlineData("[]")]
    public void Facts_without_an_architecture_are_refused(string print) => Assert.Throws<UnknownArchitectureException>(() => Print(print));

    [Theory]
    [InlineData("""{"arch":"llama","n_layer":"many","n_embd":4096}""")]
    [InlineData("""{"arch":"llama","n_layer":[1,"2"],"n_embd":4096}""")]
    [InlineData("""{"arch":"llama","n_layer":99999999999,"n_embd":4096}""")]
    [InlineData("""{"arch":"llama","n_layer":-1,"n_embd":4096}""")]
    [InlineData("""{"arch":"llama","n_embd":4096}""")]
    [InlineData("""{"arch":"llama","n_layer":4,"n_embd":64,"n_head":[1,2]}""")]
    public void Impossible_values_are_bad_input(string print) => Assert.Throws<Checkpoints.CheckpointFormatException>(() => Print(print));

    private static ModelShape Print(string json)
    {
        using var document = JsonDocument.Parse(json);
        return ModelShapeReader.FromLlamaCppPrint(document.RootElement, "test");
    }

    private static IEnumerable<(string Id, JsonElement Arch, double? Parameters)> LoggedHeaders()
    {
        foreach (var line in File.ReadLines(SharedData.Require("validation/memory_cases.jsonl")))
        {
            using var document = JsonDocument.Parse(line);
            var root = document.RootElement;
            if (!root.TryGetProperty("arch", out var arch) || arch.ValueKind != JsonValueKind.Object || !arch.TryGetProperty("arch", out _))
                continue;
            // One log was printed with a decimal comma.
            double? parameters = root.TryGetProperty("params", out var text) && text.ValueKind == JsonValueKind.String && text.GetString() is [.. var number, ' ', 'B']
                ? double.Parse(number.Replace(',', '.'), CultureInfo.InvariantCulture) * 1e9
                : null;
            yield return (root.GetProperty("id").GetString()!, arch.Clone(), parameters);
        }
    }
}

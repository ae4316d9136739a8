using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Plimsoll.Checkpoints.HuggingFace;

namespace Plimsoll.Models.Tests;

/// <summary>Checkpoints that people published: the names of all tensors and the sum of their sizes, as the index of the files lists them, against what the configuration beside it gives.</summary>
/// <remarks><c>RealCheckpoints.json</c> holds, per checkpoint, where it is, the configuration without what no shape depends on, the SHA-256 of the sorted names, and total_size in elements.</remarks>
public partial class RealCheckpointTests
{
    [Fact]
    public void The_configuration_gives_every_tensor_by_name_and_the_total_size()
    {
        var wrong = new List<string>();
        using var document = JsonDocument.Parse(File.ReadAllText(Path.Combine(Path.GetDirectoryName(ThisFile())!, "RealCheckpoints.json")));
        foreach (var checkpoint in document.RootElement.EnumerateArray())
        {
            var source = checkpoint.GetProperty("source").GetString()!;
            var config = ModelConfig.Parse(source, Encoding.UTF8.GetBytes(checkpoint.GetProperty("config").GetRawText()));
            var shape = ModelShapeReader.FromConfig(config, source, "test");
            var names = Names(shape);
            if (names.Count != checkpoint.GetProperty("tensors").GetInt32() || Digest(names) != checkpoint.GetProperty("names_sha256").GetString())
                wrong.Add($"{source}: {names.Count} other names");
            if (checkpoint.TryGetProperty("parameters", out var parameters) && parameters.GetInt64() != shape.Parameters)
                wrong.Add($"{source}: {shape.Parameters} parameters instead of {parameters}");
        }
        Assert.Empty(wrong);
    }

    /// <summary>A GPTQ checkpoint names, for each quantized linear layer, codes, scales, zeros and a group index instead of one weight.</summary>
    [Fact]
    public void A_quantized_checkpoint_has_the_same_layers()
    {
        var folder = SharedData.Require("configs/qwen-vl-chat-int4-gptq");
        var config = ModelConfig.Parse(folder, File.ReadAllBytes(Path.Combine(folder, "config.json")));
        using var index = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "model.safetensors.index.json")));
        var real = index.RootElement.GetProperty("weight_map").EnumerateObject()
            .Select(entry => Regex.Replace(entry.Name, @"\.(qweight|qzeros|scales|g_idx)$", ".weight"))
            // The quantizer writes a bias of zeros where the layer has none.
            .Where(name => !Quantized().IsMatch(name))
            .Distinct()
            .Order(StringComparer.Ordinal);
        Assert.Equal(real, Names(ModelShapeReader.FromConfig(config, "qwen-vl", "test")).Order(StringComparer.Ordinal));
    }

    private static List<string> Names(ModelShape shape) =>
    [
        .. shape.Tensors.SelectMany(tensor => tensor.Name.Contains('*')
            ? Enumerable.Range(0, tensor.Count).Select(expert => tensor.Name.Replace("*", expert.ToString(CultureInfo.InvariantCulture)))
            : [tensor.Name]),
    ];

    private static string Digest(List<string> names) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', names.Order(StringComparer.Ordinal)))));

    private static string ThisFile([CallerFilePath] string path = "") => path;

    [GeneratedRegex(@"\.h\.\d+\.(attn\.c_proj|mlp\.(w1|w2|c_proj))\.bias$")]
    private static partial Regex Quantized();
}

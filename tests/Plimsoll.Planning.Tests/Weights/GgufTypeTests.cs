using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Plimsoll.Models;
using Plimsoll.Numerics;
using Plimsoll.Planning.Weights.Gguf;

namespace Plimsoll.Planning.Tests.Weights;

/// <summary>Tensor by tensor against llama.cpp's own snapshots of its type selection.</summary>
public class GgufTypeTests
{
    [Theory]
    [MemberData(nameof(HandMade))]
    public void Every_tensor_gets_the_type_that_llama_cpp_gives_it(string model, string fileType) => Check(model, Shape(model), fileType);

    public static TheoryData<string, string> HandMade => Cases("qwen3-0.6b", "qwen3-14b", "meta-llama-3.1-70b-instruct");

    private static ModelShape Shape(string model) => model switch
    {
        // The snapshot was taken from a file that stores the tied head a second time.
        "qwen3-0.6b" => TestShapes.Qwen3_0_6B,
        "qwen3-14b" => TestShapes.Qwen3_14B,
        "meta-llama-3.1-70b-instruct" => TestShapes.Llama31_70B,
        _ => throw new ArgumentException(model),
    };

    private static void Check(string model, ModelShape shape, string fileType)
    {
        var (hash, counts) = Expected[(model, fileType)];
        var type = GgufFileType.Find(fileType)!;
        var layout = GgufLayout.Of(shape);
        var types = new GgufMix(type, layout.Facts, hasImatrix: false).Assign(layout.Tensors);
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

    private static readonly Dictionary<(string Model, string FileType), (string Hash, string Counts)> Expected = Read();

    private static Dictionary<(string, string), (string, string)> Read([CallerFilePath] string here = "")
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

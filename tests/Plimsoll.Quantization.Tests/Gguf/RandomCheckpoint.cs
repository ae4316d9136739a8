using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Plimsoll.Checkpoints.HuggingFace;
using Plimsoll.Models;
using Plimsoll.Testing.Builders;

namespace Plimsoll.Quantization.Tests.Gguf;

/// <summary>A Hugging Face folder with random weights in FP32: every tensor that the configuration asks for, and a tokenizer.</summary>
internal sealed class RandomCheckpoint : IDisposable
{
    private readonly TemporaryFolder folder = new();

    /// <param name="sentencePiece">A <c>tokenizer.model</c> instead of a <c>tokenizer.json</c>.</param>
    /// <param name="change">Adds, removes or replaces tensors before they are written.</param>
    public RandomCheckpoint(string config, bool sentencePiece = false, Action<Dictionary<string, RandomTensor>>? change = null)
    {
        Config = config;
        var shape = ModelShapeReader.FromConfig(ModelConfig.Parse("config.json", Encoding.UTF8.GetBytes(config)), "tiny", "config.json");
        var random = new Random(20260826);
        foreach (var tensor in shape.Tensors)
        {
            foreach (var (name, dimensions) in Stored(tensor))
                Tensors.Add(name, Create(tensor, dimensions, random));
        }
        change?.Invoke(Tensors);
        folder.Write("config.json", config);
        folder.Write("model.safetensors", File(Tensors));
        if (sentencePiece)
            folder.Write("tokenizer.model", TinyTokenizer.SentencePiece());
        else
            folder.Write("tokenizer.json", TinyTokenizer.ByteLevel());
    }

    public string Config { get; }

    public string Path => folder.Path;

    public Dictionary<string, RandomTensor> Tensors { get; } = new(StringComparer.Ordinal);

    public string Write(string name, string text) => folder.Write(name, text);

    public void Dispose() => folder.Dispose();

    /// <summary>One tensor for each expert where the name counts them, else one for all.</summary>
    private static IEnumerable<(string Name, long[] Dimensions)> Stored(TensorShape tensor) =>
        tensor.Name.Contains('*') ? Enumerable.Range(0, tensor.Count).Select(expert => (tensor.Name.Replace("*", $"{expert}"), tensor.Dimensions.ToArray()))
        : tensor.Count > 1 ? [(tensor.Name, [tensor.Count, .. tensor.Dimensions])]
        : [(tensor.Name, [.. tensor.Dimensions])];

    private static RandomTensor Create(TensorShape tensor, long[] dimensions, Random random)
    {
        var isNorm = tensor.Role == TensorRole.Norm && tensor.Name.EndsWith("weight", StringComparison.Ordinal);
        var values = new float[dimensions.Aggregate(1L, (product, size) => product * size)];
        for (var index = 0; index < values.Length; index++)
        {
            var value = 2 * random.NextSingle() - 1;
            values[index] = isNorm ? 1 + 0.4f * value : 0.12f * value;
        }
        return new(dimensions, values);
    }

    public static byte[] File(Dictionary<string, RandomTensor> tensors)
    {
        var json = new StringBuilder("{");
        var offset = 0L;
        foreach (var (name, tensor) in tensors)
        {
            json.Append(json.Length > 1 ? "," : "").Append($"\"{name}\":{{\"dtype\":\"{tensor.Type}\",\"shape\":[{string.Join(',', tensor.Dimensions)}],\"data_offsets\":[{offset},{offset + tensor.Stored.Length}]}}");
            offset += tensor.Stored.Length;
        }
        var header = Encoding.UTF8.GetBytes(json.Append('}').ToString());
        var file = new MemoryStream();
        var length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        file.Write(length);
        file.Write(header);
        foreach (var tensor in tensors.Values)
            file.Write(tensor.Stored);
        return file.ToArray();
    }
}

/// <param name="Values">FP32 numbers; empty for a tensor of bytes.</param>
internal sealed record RandomTensor(long[] Dimensions, float[] Values)
{
    public RandomTensor(long[] dimensions, byte[] bytes) : this(dimensions, Array.Empty<float>()) => Bytes = bytes;

    /// <summary>The bytes of a U8 tensor; null for numbers.</summary>
    public byte[]? Bytes { get; }

    public string Type => Bytes is null ? "F32" : "U8";

    public ReadOnlySpan<byte> Stored => Bytes ?? MemoryMarshal.AsBytes(Values.AsSpan());
}

using System.Runtime.InteropServices;
using Plimsoll.Checkpoints;
using Plimsoll.Numerics;
using Plimsoll.Testing.Builders;

namespace Plimsoll.Cli.Tests.Quantize;

/// <summary>Models of a few thousand weights to quantize, filled with reproducible numbers near zero, and a place for outputs.</summary>
internal sealed class SmallModels : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public string Output(string name) => folder.File(name);

    public string Write(string name, byte[] bytes) => folder.Write(name, bytes);

    /// <summary>A GGUF file in FP32.</summary>
    public string Gguf() => Fill(folder.Write("tiny-f32.gguf", new TinyGguf().Usual().File()));

    /// <summary>A Hugging Face folder in BF16.</summary>
    public string Folder()
    {
        folder.Write("tiny/config.json", TinyLlama.Config());
        Fill(folder.Write("tiny/model.safetensors", SafetensorsBuilder.File(TinyLlama.Plain())));
        return folder.File("tiny");
    }

    /// <summary>Puts a number in the place of one weight.</summary>
    public static string Spoil(string path, string tensor, long index, float value)
    {
        var header = Checkpoint.Open(path).Tensors.Single(each => each.Name == tensor);
        using var file = File.OpenHandle(header.File, FileMode.Open, FileAccess.ReadWrite);
        if (header.Format == NumberFormats.Fp32)
            RandomAccess.Write(file, BitConverter.GetBytes(value), header.Offset + 4 * index);
        else
            RandomAccess.Write(file, BitConverter.GetBytes((ushort)(BitConverter.SingleToUInt32Bits(value) >> 16)), header.Offset + 2 * index);
        return path;
    }

    public void Dispose() => folder.Dispose();

    private static string Fill(string path)
    {
        var random = new Random(4);
        var checkpoint = Checkpoint.Open(path);
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite);
        foreach (var tensor in checkpoint.Tensors)
        {
            var values = new float[tensor.Elements];
            for (var i = 0; i < values.Length; i++)
                values[i] = (random.NextSingle() + random.NextSingle() + random.NextSingle() - 1.5f) / 8;
            var bytes = tensor.Format == NumberFormats.Fp32
                ? MemoryMarshal.AsBytes(values.AsSpan())
                : MemoryMarshal.AsBytes(values.Select(value => (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16)).ToArray().AsSpan());
            RandomAccess.Write(file, bytes, tensor.Offset);
        }
        return path;
    }
}

using System.Text;
using System.Text.Json.Nodes;

namespace Plimsoll.Checkpoints.Tests.HuggingFace;

/// <summary>Small files in real formats.</summary>
internal static class Samples
{
    public static readonly byte[] Config = """{"model_type":"llama","hidden_size":64}"""u8.ToArray();

    /// <summary>A safetensors file of BF16 tensors.</summary>
    public static byte[] Safetensors(params (string Name, int Elements)[] tensors)
    {
        var header = new JsonObject();
        var offset = 0;
        foreach (var (name, elements) in tensors)
        {
            header[name] = new JsonObject { ["dtype"] = "BF16", ["shape"] = new JsonArray(elements), ["data_offsets"] = new JsonArray(offset, offset + 2 * elements) };
            offset += 2 * elements;
        }
        var json = Encoding.UTF8.GetBytes(header.ToJsonString());
        return [.. BitConverter.GetBytes((long)json.Length), .. json, .. new byte[offset]];
    }

    /// <summary>A GGUF v3 file with one F32 tensor, and a vocabulary that makes the header as long as one wants.</summary>
    public static byte[] Gguf(string tensor, int vocabulary = 0, int part = 0, int parts = 1)
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write("GGUF"u8);
        writer.Write(3u);
        writer.Write(1L);
        writer.Write((vocabulary > 0 ? 2L : 1L) + (parts > 1 ? 2 : 0));
        Key("general.architecture", 8);
        Text("llama");
        if (parts > 1)
        {
            Key("split.no", 2);
            writer.Write((ushort)part);
            Key("split.count", 2);
            writer.Write((ushort)parts);
        }
        if (vocabulary > 0)
        {
            Key("tokenizer.ggml.tokens", 9);
            writer.Write(8u);
            writer.Write((long)vocabulary);
            for (var token = 0; token < vocabulary; token++)
                Text($"token{token:0000000}");
        }
        Text(tensor);
        writer.Write(1u);
        writer.Write(32L);
        writer.Write(0u);
        writer.Write(0L);
        writer.Write(new byte[(32 - stream.Length % 32) % 32]);
        writer.Write(new byte[128]);
        return stream.ToArray();

        void Key(string name, uint type)
        {
            Text(name);
            writer.Write(type);
        }

        void Text(string text)
        {
            writer.Write((long)text.Length);
            writer.Write(Encoding.ASCII.GetBytes(text));
        }
    }

    public static byte[] Index(params (string Tensor, string File)[] entries)
    {
        var map = new JsonObject();
        foreach (var (tensor, file) in entries)
            map[tensor] = file;
        return Encoding.UTF8.GetBytes(new JsonObject { ["metadata"] = new JsonObject { ["total_size"] = 0 }, ["weight_map"] = map }.ToJsonString());
    }
}

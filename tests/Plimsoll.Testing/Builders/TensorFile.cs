using System.Runtime.InteropServices;
using System.Text.Json;

namespace Plimsoll.Testing.Builders;

/// <summary>The tensors of safetensors files with their bytes: read and written here, by the format's description, without the product.</summary>
public sealed class TensorFile
{
    private readonly Dictionary<string, (string Type, long[] Shape, byte[] Data)> tensors = new(StringComparer.Ordinal);

    public Dictionary<string, string> Metadata { get; } = [];

    public IEnumerable<string> Names => tensors.Keys;

    public bool Has(string name) => tensors.ContainsKey(name);

    public string TypeOf(string name) => tensors[name].Type;

    public long[] ShapeOf(string name) => tensors[name].Shape;

    public byte[] Bytes(string name) => tensors[name].Data;

    public uint[] Words(string name) => MemoryMarshal.Cast<byte, uint>(Bytes(name)).ToArray();

    public long[] Longs(string name) => MemoryMarshal.Cast<byte, long>(Bytes(name)).ToArray();

    public float[] Floats(string name) => tensors[name].Type switch
    {
        "F32" => MemoryMarshal.Cast<byte, float>(Bytes(name)).ToArray(),
        "F16" => MemoryMarshal.Cast<byte, Half>(Bytes(name)).ToArray().Select(value => (float)value).ToArray(),
        "BF16" => MemoryMarshal.Cast<byte, ushort>(Bytes(name)).ToArray().Select(value => BitConverter.Int32BitsToSingle(value << 16)).ToArray(),
        var type => throw new InvalidOperationException($"{name} is {type}"),
    };

    public TensorFile Add(string name, string type, long[] shape, byte[] data)
    {
        tensors.Add(name, (type, shape, data));
        return this;
    }

    public TensorFile AddBf16(string name, long[] shape, float[] values) =>
        Add(name, "BF16", shape, MemoryMarshal.AsBytes<ushort>(values.Select(value => (ushort)(BitConverter.SingleToInt32Bits(value) >> 16)).ToArray()).ToArray());

    public TensorFile AddFloats(string name, long[] shape, float[] values) => Add(name, "F32", shape, MemoryMarshal.AsBytes<float>(values).ToArray());

    public TensorFile AddHalves(string name, long[] shape, float[] values) =>
        Add(name, "F16", shape, MemoryMarshal.AsBytes<Half>(values.Select(value => (Half)value).ToArray()).ToArray());

    public TensorFile AddWords(string name, long[] shape, uint[] values) => Add(name, "I32", shape, MemoryMarshal.AsBytes<uint>(values).ToArray());

    public byte[] ToBytes()
    {
        var (header, data) = (new Dictionary<string, string>(), new MemoryStream());
        foreach (var (name, (type, shape, bytes)) in tensors)
        {
            header[name] = $"{{\"dtype\":\"{type}\",\"shape\":[{string.Join(',', shape)}],\"data_offsets\":[{data.Length},{data.Length + bytes.Length}]}}";
            data.Write(bytes);
        }
        var json = System.Text.Encoding.UTF8.GetBytes("{" + string.Join(',', header.Select(entry => $"\"{entry.Key}\":{entry.Value}")) + "}");
        return [.. BitConverter.GetBytes((long)json.Length), .. json, .. data.ToArray()];
    }

    /// <summary>All safetensors files of a folder together.</summary>
    public static TensorFile Read(string folder)
    {
        var all = new TensorFile();
        foreach (var path in Directory.GetFiles(folder, "*.safetensors"))
        {
            var file = File.ReadAllBytes(path);
            var length = (int)BitConverter.ToInt64(file);
            using var header = JsonDocument.Parse(file.AsMemory(8, length));
            foreach (var member in header.RootElement.EnumerateObject())
            {
                if (member.Name == "__metadata__")
                {
                    foreach (var text in member.Value.EnumerateObject())
                        all.Metadata[text.Name] = text.Value.GetString()!;
                    continue;
                }
                var offsets = member.Value.GetProperty("data_offsets").EnumerateArray().Select(offset => offset.GetInt32()).ToArray();
                all.Add(member.Name, member.Value.GetProperty("dtype").GetString()!, [.. member.Value.GetProperty("shape").EnumerateArray().Select(size => size.GetInt64())], file[(8 + length + offsets[0])..(8 + length + offsets[1])]);
            }
        }
        return all;
    }
}

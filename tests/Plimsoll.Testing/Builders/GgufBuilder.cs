using System.Text;

namespace Plimsoll.Testing.Builders;

/// <summary>Writes GGUF files byte by byte, so that a test can also write wrong ones.</summary>
public sealed class GgufBuilder
{
    private readonly List<byte> _keys = [];
    private readonly List<byte> _tensors = [];
    private long _keyCount;
    private long _tensorCount;

    public byte[] Magic { get; init; } = "GGUF"u8.ToArray();

    public uint Version { get; init; } = 3;

    public ulong? ClaimedKeys { get; init; }

    public ulong? ClaimedTensors { get; init; }

    public int Alignment { get; init; } = 32;

    public GgufBuilder Key(string key, uint type, byte[] value)
    {
        _keys.AddRange([.. Text(key), .. BitConverter.GetBytes(type), .. value]);
        _keyCount++;
        return this;
    }

    public GgufBuilder Text(string key, string value) => Key(key, 8, Text(value));

    public GgufBuilder UInt16(string key, ushort value) => Key(key, 2, BitConverter.GetBytes(value));

    public GgufBuilder UInt32(string key, uint value) => Key(key, 4, BitConverter.GetBytes(value));

    public GgufBuilder Array(string key, uint elementType, ulong count, byte[] elements) =>
        Key(key, 9, [.. BitConverter.GetBytes(elementType), .. BitConverter.GetBytes(count), .. elements]);

    public GgufBuilder Strings(string key, params string[] values) => Array(key, 8, (ulong)values.Length, [.. values.SelectMany(Text)]);

    /// <param name="sizes">Row length first, as in the file.</param>
    public GgufBuilder Tensor(string name, uint type, ulong offset, params ulong[] sizes)
    {
        _tensors.AddRange([.. Text(name), .. BitConverter.GetBytes((uint)sizes.Length), .. sizes.SelectMany(BitConverter.GetBytes),
            .. BitConverter.GetBytes(type), .. BitConverter.GetBytes(offset)]);
        _tensorCount++;
        return this;
    }

    /// <summary>The header alone, padded to the data section.</summary>
    public byte[] Header()
    {
        List<byte> file =
        [
            .. Magic, .. BitConverter.GetBytes(Version), .. BitConverter.GetBytes(ClaimedTensors ?? (ulong)_tensorCount),
            .. BitConverter.GetBytes(ClaimedKeys ?? (ulong)_keyCount), .. _keys, .. _tensors,
        ];
        while (file.Count % Alignment != 0)
            file.Add(0);
        return [.. file];
    }

    public byte[] File(int dataBytes) => [.. Header(), .. new byte[dataBytes]];

    /// <summary>One of everything: each scalar type, arrays, an F32 vector of 3 and a Q8_0 matrix of 2 × 32.</summary>
    public static GgufBuilder Valid() => new GgufBuilder()
        .Text("general.architecture", "llama")
        .Key("u8", 0, [200]).Key("i8", 1, [200]).UInt16("u16", 65535).Key("i16", 3, [255, 255]).UInt32("u32", 4_000_000_000).Key("i32", 5, [255, 255, 255, 255])
        .Key("f32", 6, BitConverter.GetBytes(0.5f)).Key("bool", 7, [1]).Key("u64", 10, BitConverter.GetBytes(7UL)).Key("i64", 11, BitConverter.GetBytes(-7L))
        .Key("f64", 12, BitConverter.GetBytes(1e-6))
        .Strings("tokenizer.ggml.tokens", "<s>", "", "é")
        .Array("heads", 4, 2, [8, 0, 0, 0, 4, 0, 0, 0])
        .Tensor("norm", 0, 0, 3)
        .Tensor("weight", 8, 32, 32, 2);

    /// <summary>12 bytes padded to 32, then 68.</summary>
    public const int ValidDataBytes = 32 + 68;

    private static byte[] Text(string text) => [.. BitConverter.GetBytes((ulong)Encoding.UTF8.GetByteCount(text)), .. Encoding.UTF8.GetBytes(text)];
}

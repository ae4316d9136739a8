using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Plimsoll.Checkpoints.Gguf;

/// <summary>The keys of a GGUF file that is going to be written, in the order in which they were first set.</summary>
/// <remarks>The loaders of other programs ask for exact types, so each has its own setter; setting a key again replaces its value and type.</remarks>
[SuppressMessage("Naming", "CA1720:Identifier contains type name", Justification = "The types of GGUF are the subject.")]
public sealed class GgufKeyValues
{
    private readonly List<string> _order = [];
    private readonly Dictionary<string, byte[]> _values = new(StringComparer.Ordinal);

    public IReadOnlyList<string> Keys => _order;

    public bool Contains(string key) => _values.ContainsKey(key);

    public void Remove(string key)
    {
        if (_values.Remove(key))
            _order.Remove(key);
    }

    public void UInt8(string key, byte value) => Set(key, GgufValueType.UInt8, [value]);

    public void Int8(string key, sbyte value) => Set(key, GgufValueType.Int8, [(byte)value]);

    public void UInt16(string key, ushort value) => Set(key, GgufValueType.UInt16, BitConverter.GetBytes(value));

    public void Int16(string key, short value) => Set(key, GgufValueType.Int16, BitConverter.GetBytes(value));

    public void UInt32(string key, uint value) => Set(key, GgufValueType.UInt32, BitConverter.GetBytes(value));

    public void Int32(string key, int value) => Set(key, GgufValueType.Int32, BitConverter.GetBytes(value));

    public void UInt64(string key, ulong value) => Set(key, GgufValueType.UInt64, BitConverter.GetBytes(value));

    public void Int64(string key, long value) => Set(key, GgufValueType.Int64, BitConverter.GetBytes(value));

    public void Float32(string key, float value) => Set(key, GgufValueType.Float32, BitConverter.GetBytes(value));

    public void Float64(string key, double value) => Set(key, GgufValueType.Float64, BitConverter.GetBytes(value));

    public void Boolean(string key, bool value) => Set(key, GgufValueType.Boolean, [value ? (byte)1 : (byte)0]);

    public void Text(string key, string value)
    {
        var bytes = new byte[sizeof(ulong) + Encoding.UTF8.GetByteCount(value)];
        PutText(bytes, Encoding.UTF8.GetBytes(value));
        Set(key, GgufValueType.Text, bytes);
    }

    public void UInt8s(string key, ReadOnlySpan<byte> values) => Array(key, GgufValueType.UInt8, values.Length, values);

    public void Int32s(string key, ReadOnlySpan<int> values) => Array(key, GgufValueType.Int32, values.Length, Bytes(values, BitConverter.GetBytes));

    public void UInt32s(string key, ReadOnlySpan<uint> values) => Array(key, GgufValueType.UInt32, values.Length, Bytes(values, BitConverter.GetBytes));

    public void Float32s(string key, ReadOnlySpan<float> values) => Array(key, GgufValueType.Float32, values.Length, Bytes(values, BitConverter.GetBytes));

    public void Booleans(string key, ReadOnlySpan<bool> values) => Array(key, GgufValueType.Boolean, values.Length, Bytes(values, value => [value ? (byte)1 : (byte)0]));

    public void Texts(string key, IEnumerable<string> values) => Texts(key, values.Select(value => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(value)));

    /// <summary>An array of strings given as UTF-8, or as the bytes of tokens that are no text.</summary>
    public void Texts(string key, IEnumerable<ReadOnlyMemory<byte>> values)
    {
        var bytes = new MemoryStream();
        var count = 0L;
        var length = new byte[sizeof(ulong)];
        foreach (var value in values)
        {
            BinaryPrimitives.WriteInt64LittleEndian(length, value.Length);
            bytes.Write(length);
            bytes.Write(value.Span);
            count++;
        }
        Array(key, GgufValueType.Text, count, bytes.ToArray());
    }

    /// <summary>Takes over keys of a file that was read, with their types, bit by bit.</summary>
    /// <exception cref="IOException">The file cannot be read again.</exception>
    public void CopyFrom(GgufMetadata source, Func<string, bool> takes)
    {
        using var file = File.OpenHandle(source.Path);
        foreach (var key in source.Keys.Where(takes))
        {
            var place = source.Place(key) ?? throw new ArgumentException($"the value of '{key}' does not lie in a GGUF file", nameof(source));
            var value = new byte[place.Bytes];
            for (var read = 0; read < value.Length;)
            {
                var count = RandomAccess.Read(file, value.AsSpan(read), place.Offset + read);
                read += count > 0 ? count : throw new CheckpointFormatException(source.Path, place.Offset + read, $"the value of '{key}'", "the end of the file");
            }
            Put(key, value);
        }
    }

    /// <summary>Bytes of all keys and values in a file.</summary>
    internal long Length => _values.Sum(pair => sizeof(ulong) + Encoding.UTF8.GetByteCount(pair.Key) + (long)pair.Value.Length);

    internal void WriteTo(Stream stream)
    {
        foreach (var key in _order)
        {
            var name = Encoding.UTF8.GetBytes(key);
            var text = new byte[sizeof(ulong) + name.Length];
            PutText(text, name);
            stream.Write(text);
            stream.Write(_values[key]);
        }
    }

    private void Array(string key, GgufValueType elements, long count, ReadOnlySpan<byte> bytes)
    {
        var value = new byte[sizeof(uint) + sizeof(ulong) + bytes.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(value, (uint)elements);
        BinaryPrimitives.WriteInt64LittleEndian(value.AsSpan(sizeof(uint)), count);
        bytes.CopyTo(value.AsSpan(sizeof(uint) + sizeof(ulong)));
        Set(key, GgufValueType.Array, value);
    }

    private void Set(string key, GgufValueType type, ReadOnlySpan<byte> value)
    {
        var bytes = new byte[sizeof(uint) + value.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, (uint)type);
        value.CopyTo(bytes.AsSpan(sizeof(uint)));
        Put(key, bytes);
    }

    private void Put(string key, byte[] value)
    {
        ArgumentException.ThrowIfNullOrEmpty(key);
        if (_values.TryAdd(key, value))
            _order.Add(key);
        else
            _values[key] = value;
    }

    private static void PutText(Span<byte> target, ReadOnlySpan<byte> text)
    {
        BinaryPrimitives.WriteInt64LittleEndian(target, text.Length);
        text.CopyTo(target[sizeof(ulong)..]);
    }

    private static byte[] Bytes<T>(ReadOnlySpan<T> values, Func<T, byte[]> bytesOf)
    {
        var bytes = new MemoryStream();
        foreach (var value in values)
            bytes.Write(bytesOf(value));
        return bytes.ToArray();
    }
}

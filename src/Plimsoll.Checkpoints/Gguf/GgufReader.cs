using System.Collections.Immutable;
using Plimsoll.Checkpoints.Bytes;
using Plimsoll.Numerics;

namespace Plimsoll.Checkpoints.Gguf;

/// <summary>Reads the header of one GGUF file; tensor data is never touched and long arrays are skipped.</summary>
/// <remarks>Every rule is one that the reference loader (ggml's gguf.cpp) enforces, except the caps named in <see cref="GgufLimits"/>.</remarks>
public sealed class GgufReader
{
    private const string AlignmentKey = "general.alignment";

    /// <summary>Length field, one byte of key, type id, one byte of value.</summary>
    private const int LeastKeyBytes = 8 + 1 + 4 + 1;

    /// <summary>Length field of the name, dimension count, type id, offset.</summary>
    private const int LeastTensorBytes = 8 + 4 + 4 + 8;

    private readonly ByteCursor _cursor;
    private readonly Dictionary<string, object> _values = new(StringComparer.Ordinal);
    private readonly Dictionary<string, GgufPlace> _places = new(StringComparer.Ordinal);
    private long _loadedBytes;

    private GgufReader(ByteSource source) => _cursor = new(source, 0, Math.Min(source.Length ?? long.MaxValue, GgufLimits.MaxHeaderBytes));

    /// <exception cref="CheckpointFormatException">The file breaks a rule of the format.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static GgufHeader ReadHeader(string path)
    {
        using var source = new FileByteSource(path);
        return ReadHeader(source);
    }

    internal static GgufHeader ReadHeader(ByteSource source) => new GgufReader(source).Read(source.Length);

    private GgufHeader Read(long? fileLength)
    {
        var magic = _cursor.ReadUInt32("magic");
        if (magic != 0x46554747)
            throw _cursor.Bad("the magic 'GGUF'", $"the bytes {magic & 0xFF:X2} {magic >> 8 & 0xFF:X2} {magic >> 16 & 0xFF:X2} {magic >> 24:X2}", 0);
        var version = ReadVersion();
        var tensorCount = ReadCount("tensors", GgufLimits.MaxTensors);
        var keyCount = ReadCount("keys", GgufLimits.MaxKeys);
        if (keyCount * LeastKeyBytes + tensorCount * LeastTensorBytes > _cursor.Remaining)
            throw _cursor.Bad($"room for {keyCount:N0} keys and {tensorCount:N0} tensors", $"{_cursor.Remaining:N0} bytes left");

        for (var index = 0; index < keyCount; index++)
            ReadKeyValue();
        var alignment = Alignment();
        var tensors = ReadTensors(tensorCount, alignment, out var dataOffset);
        CheckData(tensors, fileLength);
        return new(_cursor.Path, version, alignment, dataOffset, new GgufMetadata(_cursor.Path, _values, _places), tensors);
    }

    private int ReadVersion()
    {
        var at = _cursor.Position;
        var version = _cursor.ReadUInt32("version");
        return version switch
        {
            2 or 3 => (int)version,
            1 => throw _cursor.Bad("GGUF version 2 or 3", "version 1 (convert the file again with a current converter)", at),
            // A small number whose bytes are swapped has an empty low half; the loader tests the same.
            not 0 when (version & 0xFFFF) == 0 => throw _cursor.Bad("a little-endian GGUF file", "a byte-swapped version: the file is big-endian", at),
            _ => throw _cursor.Bad("GGUF version 2 or 3", $"version {version}", at),
        };
    }

    private long ReadCount(string what, int limit)
    {
        var at = _cursor.Position;
        var count = _cursor.ReadUInt64($"number of {what}");
        return count <= (ulong)limit ? (long)count : throw _cursor.Bad($"at most {limit:N0} {what}", $"{count:N0}", at);
    }

    private void ReadKeyValue()
    {
        var at = _cursor.Position;
        var key = ReadText("key");
        if (key.Length == 0)
            throw _cursor.Bad("a key", "an empty one", at);
        at = _cursor.Position;
        var type = ReadType(key);
        if (!_values.TryAdd(key, type == GgufValueType.Array ? ReadArray(key) : ReadScalar(key, type)))
            throw _cursor.Bad("every key once", $"'{key}' a second time", at);
        _places[key] = new(at, _cursor.Position - at);
    }

    private GgufValueType ReadType(string key)
    {
        var at = _cursor.Position;
        var type = _cursor.ReadUInt32("value type");
        return type <= (uint)GgufValueType.Float64 ? (GgufValueType)type : throw _cursor.Bad($"a value type from 0 to 12 for '{key}'", $"{type}", at);
    }

    private object ReadScalar(string key, GgufValueType type) => type switch
    {
        _ when key == AlignmentKey && type != GgufValueType.UInt32 => throw _cursor.Bad($"an unsigned 32-bit integer as '{key}'", $"{type}"),
        GgufValueType.Text => ReadText("string"),
        GgufValueType.Boolean => _cursor.ReadByte("boolean") != 0,
        GgufValueType.Float32 => (double)BitConverter.UInt32BitsToSingle(_cursor.ReadUInt32("number")),
        GgufValueType.Float64 => BitConverter.UInt64BitsToDouble(_cursor.ReadUInt64("number")),
        GgufValueType.UInt64 => _cursor.ReadUInt64("integer") is var number && number <= long.MaxValue ? (long)number : number,
        _ => GgufArray.ReadInteger(_cursor.Take(type.Bytes(), "integer"), type),
    };

    private object ReadArray(string key)
    {
        var at = _cursor.Position;
        var type = ReadType(key);
        if (type == GgufValueType.Array)
            throw _cursor.Bad($"an array of plain values as '{key}'", "an array of arrays", at);
        var count = _cursor.ReadUInt64("array length");
        if (count > GgufLimits.MaxLength)
            throw _cursor.Bad($"at most {GgufLimits.MaxLength:N0} elements in '{key}'", $"{count:N0}", at + 4);

        var start = _cursor.Position;
        if (type == GgufValueType.Text)
            SkipStrings((long)count);
        else if (count <= GgufLimits.MaxLoadedElements)
            return ReadNumbers(type, (int)count);
        else
            _cursor.Skip((long)count * type.Bytes(), $"array '{key}'");
        return new GgufArray(_cursor.Path, key, type, (long)count, start, _cursor.Position - start);
    }

    private void SkipStrings(long count)
    {
        _cursor.Require(count * 8, "array of strings");
        for (var index = 0L; index < count; index++)
        {
            var length = _cursor.ReadUInt64("string length");
            if (length > (ulong)_cursor.Remaining)
                throw _cursor.Bad("a string that ends within the file", $"a length of {length:N0}", _cursor.Position - 8);
            _cursor.Skip((long)length, "string");
        }
    }

    private object ReadNumbers(GgufValueType type, int count)
    {
        Load(8L * count);
        var bytes = _cursor.Take(count * type.Bytes(), "array");
        var size = type.Bytes();
        if (type is GgufValueType.Float32 or GgufValueType.Float64)
        {
            var numbers = ImmutableArray.CreateBuilder<double>(count);
            for (var index = 0; index < count; index++)
                numbers.Add(size == 4 ? BitConverter.ToSingle(bytes[(index * 4)..]) : BitConverter.ToDouble(bytes[(index * 8)..]));
            return numbers.MoveToImmutable();
        }
        if (type == GgufValueType.Boolean)
        {
            var truths = ImmutableArray.CreateBuilder<bool>(count);
            foreach (var truth in bytes)
                truths.Add(truth != 0);
            return truths.MoveToImmutable();
        }
        var integers = ImmutableArray.CreateBuilder<long>(count);
        // Beyond 2^63-1 an unsigned element wraps; no known key has such a value.
        var widened = type == GgufValueType.UInt64 ? GgufValueType.Int64 : type;
        for (var index = 0; index < count; index++)
            integers.Add(GgufArray.ReadInteger(bytes.Slice(index * size, size), widened));
        return integers.MoveToImmutable();
    }

    private string ReadText(string what)
    {
        var length = _cursor.ReadUInt64($"{what} length");
        if (length > GgufLimits.MaxLoadedBytes || (long)length > _cursor.Remaining)
        {
            throw _cursor.Bad($"a {what} within the file and of at most {GgufLimits.MaxLoadedBytes:N0} bytes",
                $"a length of {length:N0}", _cursor.Position - 8);
        }
        Load(64 + 2 * (long)length);
        return _cursor.ReadText((long)length, what);
    }

    private void Load(long bytes)
    {
        _loadedBytes += bytes;
        if (_loadedBytes > GgufLimits.MaxLoadedBytes * 2L)
            throw _cursor.Bad($"keys, strings and short arrays of at most {GgufLimits.MaxLoadedBytes:N0} bytes", "more");
    }

    private int Alignment()
    {
        if (!_values.TryGetValue(AlignmentKey, out var value))
            return GgufLimits.DefaultAlignment;
        return value is long and > 0 and <= 1 << 30 && long.IsPow2((long)value)
            ? (int)(long)value
            : throw _cursor.Bad($"a power of two up to 2^30 as '{AlignmentKey}'", value.ToString() ?? "");
    }

    private ImmutableArray<TensorHeader> ReadTensors(long count, int alignment, out long dataOffset)
    {
        var tensors = ImmutableArray.CreateBuilder<TensorHeader>((int)count);
        var names = new HashSet<string>((int)count, StringComparer.Ordinal);
        var next = 0L;
        for (var index = 0L; index < count; index++)
        {
            var tensor = ReadTensor(names, next);
            tensors.Add(tensor);
            next = Pad(tensor.Offset + tensor.Bytes, alignment, tensor.Name);
        }
        // Without tensors there is no data section, and the file need not be padded.
        var start = count == 0 ? _cursor.Position : Pad(_cursor.Position, alignment, "data section");
        dataOffset = start;
        if (next > long.MaxValue - start)
            throw _cursor.Bad("a data section whose size fits 64 bits", $"{next:N0} bytes");
        return [.. tensors.Select(tensor => tensor with { Offset = start + tensor.Offset })];
    }

    /// <summary>Reads one description; its offset still counts from the start of the data section.</summary>
    /// <param name="expectedOffset">Tensors follow each other without gaps, so the offset is known before it is read.</param>
    private TensorHeader ReadTensor(HashSet<string> names, long expectedOffset)
    {
        var at = _cursor.Position;
        var nameLength = _cursor.ReadUInt64("tensor name length");
        if (nameLength > GgufLimits.MaxTensorNameBytes)
            throw _cursor.Bad($"a tensor name of at most {GgufLimits.MaxTensorNameBytes} bytes", $"{nameLength:N0}", at);
        // The loader copies names as C strings.
        var name = _cursor.ReadText((long)nameLength, "tensor name").Split('\0')[0];
        if (!names.Add(name))
            throw _cursor.Bad("every tensor name once", $"'{name}' a second time", at);

        var (dimensions, elements) = ReadDimensions(name);
        var format = ReadFormat(name);
        var rowLength = dimensions.IsEmpty ? 1 : dimensions[^1];
        if (rowLength % format.BlockLength != 0)
            throw _cursor.Bad($"rows of tensor '{name}' in whole blocks of {format.BlockLength} ({format})", $"rows of {rowLength:N0}", _cursor.Position - 4);
        if (elements / format.BlockLength > long.MaxValue / format.BlockBytes)
            throw _cursor.Bad($"a size of tensor '{name}' that fits 64 bits", $"{elements:N0} elements of {format}", _cursor.Position - 4);

        var offset = _cursor.ReadUInt64("tensor offset");
        if (offset != (ulong)expectedOffset)
            throw _cursor.Bad($"tensor '{name}' at data offset {expectedOffset:N0}, right after the one before it", $"{offset:N0}", _cursor.Position - 8);
        return new(name, format, dimensions, _cursor.Path, expectedOffset, format.BytesFor(elements));
    }

    /// <summary>GGUF stores the row length first; the result has it last.</summary>
    private (ImmutableArray<long> Dimensions, long Elements) ReadDimensions(string name)
    {
        var at = _cursor.Position;
        var count = _cursor.ReadUInt32("number of dimensions");
        if (count > GgufLimits.MaxDimensions)
            throw _cursor.Bad($"at most {GgufLimits.MaxDimensions} dimensions of tensor '{name}'", $"{count:N0}", at);
        var dimensions = new long[count];
        for (var index = (int)count - 1; index >= 0; index--)
        {
            var size = _cursor.ReadUInt64("dimension");
            if (size > long.MaxValue)
                throw _cursor.Bad($"a dimension of tensor '{name}' below 2^63", $"{size:N0}", _cursor.Position - 8);
            dimensions[index] = (long)size;
        }
        if (dimensions.Contains(0))
            return ([.. dimensions], 0);
        var elements = 1L;
        foreach (var size in dimensions)
        {
            if (size > long.MaxValue / elements)
                throw _cursor.Bad($"a number of elements of tensor '{name}' that fits 64 bits", $"[{string.Join(", ", dimensions)}]", at);
            elements *= size;
        }
        return ([.. dimensions], elements);
    }

    private NumberFormat ReadFormat(string name)
    {
        var at = _cursor.Position;
        var type = (int)_cursor.ReadUInt32("tensor type");
        return NumberFormats.FromGgmlType(type) ?? throw _cursor.Bad($"a ggml type for tensor '{name}'", RemovedTypes.TryGetValue(type, out var removed)
            ? $"type {type} ({removed}, which ggml has removed)"
            : $"the unknown type {type}", at);
    }

    /// <summary>Ids that older ggml releases used (enum ggml_type in ggml.h, where they are commented out).</summary>
    private static readonly Dictionary<int, string> RemovedTypes = new()
    {
        [4] = "Q4_2",
        [5] = "Q4_3",
        [31] = "Q4_0_4_4",
        [32] = "Q4_0_4_8",
        [33] = "Q4_0_8_8",
        [36] = "IQ4_NL_4_4",
        [37] = "IQ4_NL_4_8",
        [38] = "IQ4_NL_8_8",
    };

    private long Pad(long position, int alignment, string what)
    {
        var missing = (alignment - position % alignment) % alignment;
        return position <= long.MaxValue - missing ? position + missing : throw _cursor.Bad($"an end of {what} that fits 64 bits", $"{position:N0}");
    }

    /// <summary>The padding after the last tensor may be absent, as the loader never reads it.</summary>
    private static void CheckData(ImmutableArray<TensorHeader> tensors, long? fileLength)
    {
        if (tensors.IsEmpty || fileLength is not { } length)
            return;
        foreach (var tensor in tensors)
        {
            if (tensor.Offset + tensor.Bytes > length)
            {
                throw new CheckpointFormatException(tensor.File, tensor.Offset,
                    $"{tensor.Bytes:N0} bytes of tensor '{tensor.Name}'", $"{Math.Max(0, length - tensor.Offset):N0} bytes left (the file is cut off)");
            }
        }
    }
}

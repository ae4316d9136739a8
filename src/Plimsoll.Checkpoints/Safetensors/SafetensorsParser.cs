using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Plimsoll.Numerics;

namespace Plimsoll.Checkpoints.Safetensors;

/// <summary>Parses the JSON of a safetensors header token by token: a document model would keep ten times the memory and hide duplicate names.</summary>
internal ref struct SafetensorsParser
{
    private const string MetadataName = "__metadata__";

    private readonly string _path;
    private readonly int _jsonLength;
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private readonly ImmutableArray<TensorHeader>.Builder _tensors = ImmutableArray.CreateBuilder<TensorHeader>();
    private readonly ImmutableDictionary<string, string>.Builder _metadata = ImmutableDictionary.CreateBuilder<string, string>();
    private readonly List<long> _shape = [];
    private Utf8JsonReader _reader;

    public SafetensorsParser(string path, ReadOnlySpan<byte> json)
    {
        _path = path;
        _jsonLength = json.Length;
        if (json.IsEmpty || json[0] != (byte)'{')
            throw Bad("a header that starts with '{'", json.IsEmpty ? "an empty header" : $"the byte 0x{json[0]:X2}", 0);
        _reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 16 });
    }

    private readonly long DataOffset => SafetensorsLimits.LengthBytes + _jsonLength;

    public SafetensorsHeader Parse(long? dataLength)
    {
        try
        {
            ReadObject();
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: GetString on bytes that are not UTF-8.
            throw new CheckpointFormatException(_path, Offset(_reader.BytesConsumed), "a header of valid JSON", failure.Message, failure);
        }
        var used = CheckTiling(dataLength);
        return new(_path, DataOffset, used, _metadata.ToImmutable(), _tensors.DrainToImmutable());
    }

    private void ReadObject()
    {
        _reader.Read();
        while (_reader.Read() && _reader.TokenType != JsonTokenType.EndObject)
        {
            var at = _reader.TokenStartIndex;
            var name = _reader.GetString()!;
            if (!_names.Add(name))
                throw Bad("every tensor name once", $"'{name}' a second time", at);
            if (name == MetadataName)
                ReadMetadata();
            else
                ReadTensor(name, at);
        }
        // Padding may follow, nothing else: the reader itself refuses a second value.
        _reader.Read();
    }

    private void ReadMetadata()
    {
        _reader.Read();
        if (_reader.TokenType == JsonTokenType.Null)
            return;
        Expect(JsonTokenType.StartObject, $"an object as {MetadataName}");
        while (_reader.Read() && _reader.TokenType != JsonTokenType.EndObject)
        {
            var key = _reader.GetString()!;
            _reader.Read();
            Expect(JsonTokenType.String, $"a string as {MetadataName} value of '{key}'");
            _metadata[key] = _reader.GetString()!;
        }
    }

    private void ReadTensor(string name, long at)
    {
        if (_tensors.Count == SafetensorsLimits.MaxTensors)
            throw Bad($"at most {SafetensorsLimits.MaxTensors:N0} tensors", "more", at);
        NumberFormat? format = null;
        ImmutableArray<long>? shape = null;
        (long Begin, long End)? range = null;
        _reader.Read();
        Expect(JsonTokenType.StartObject, $"an object that describes tensor '{name}'");
        while (_reader.Read() && _reader.TokenType != JsonTokenType.EndObject)
        {
            var field = _reader.GetString();
            var fieldAt = _reader.TokenStartIndex;
            _reader.Read();
            var isSecond = field switch
            {
                "dtype" => Set(ref format, ReadFormat(name)),
                "shape" => Set(ref shape, ReadIntegers(name, "shape", SafetensorsLimits.MaxDimensions)),
                "data_offsets" => Set(ref range, ReadRange(name)),
                _ => !_reader.TrySkip(),
            };
            if (isSecond)
                throw Bad($"one {field} for tensor '{name}'", "two", fieldAt);
        }
        if (format is null || shape is not { } dimensions || range is not { } place)
            throw Bad($"dtype, shape and data_offsets of tensor '{name}'", $"no {(format is null ? "dtype" : shape is null ? "shape" : "data_offsets")}", at);

        var bytes = BytesOf(name, format, dimensions, at);
        if (place.End - place.Begin != bytes)
            throw Bad($"{bytes:N0} bytes of data for tensor '{name}', {format} [{string.Join(", ", dimensions)}]", $"offsets {place.Begin} to {place.End}", at);
        if (place.End > long.MaxValue - DataOffset)
            throw Bad($"data offsets of tensor '{name}' that fit 64 bits", $"{place.End}", at);
        _tensors.Add(new(name, format, dimensions, _path, DataOffset + place.Begin, bytes));
    }

    /// <summary>Stores the first value of a field; true when there was one already.</summary>
    private static bool Set<T>(ref T? field, T value)
    {
        var isSecond = field is not null;
        field = value;
        return isSecond;
    }

    private readonly NumberFormat ReadFormat(string name)
    {
        Expect(JsonTokenType.String, $"a string as dtype of tensor '{name}'");
        var type = _reader.GetString()!;
        return NumberFormats.FromSafetensorsType(type) ?? throw Bad($"a safetensors dtype for tensor '{name}'", $"'{type}'", _reader.TokenStartIndex);
    }

    private ImmutableArray<long> ReadIntegers(string name, string field, int limit)
    {
        Expect(JsonTokenType.StartArray, $"an array as {field} of tensor '{name}'");
        _shape.Clear();
        while (_reader.Read() && _reader.TokenType != JsonTokenType.EndArray)
        {
            if (_shape.Count == limit)
                throw Bad($"at most {limit} numbers in {field} of tensor '{name}'", "more", _reader.TokenStartIndex);
            if (_reader.TokenType != JsonTokenType.Number || !_reader.TryGetInt64(out var value) || value < 0)
                throw Bad($"integers from 0 to 2^63-1 in {field} of tensor '{name}'", Describe(), _reader.TokenStartIndex);
            _shape.Add(value);
        }
        return [.. _shape];
    }

    private (long Begin, long End) ReadRange(string name)
    {
        var at = _reader.TokenStartIndex;
        var numbers = ReadIntegers(name, "data_offsets", 2);
        if (numbers.Length != 2 || numbers[0] > numbers[1])
            throw Bad($"two ascending data_offsets of tensor '{name}'", $"[{string.Join(", ", numbers)}]", at);
        return (numbers[0], numbers[1]);
    }

    private readonly long BytesOf(string name, NumberFormat format, ImmutableArray<long> dimensions, long at)
    {
        try
        {
            var elements = dimensions.Aggregate(1L, (product, size) => checked(product * size));
            if (elements % format.BlockLength != 0)
                throw Bad($"a multiple of {format.BlockLength} elements in tensor '{name}', so that {format} ends on a byte", $"{elements:N0}", at);
            return format.BytesFor(elements);
        }
        catch (OverflowException)
        {
            throw Bad($"a size of tensor '{name}' that fits 64 bits", $"{format} [{string.Join(", ", dimensions)}]", at);
        }
    }

    /// <summary>The tensors, sorted by offset, must cover the buffer without hole or overlap. Returns its length.</summary>
    private readonly long CheckTiling(long? dataLength)
    {
        var end = 0L;
        foreach (var tensor in _tensors.OrderBy(tensor => tensor.Offset).ThenBy(tensor => tensor.Bytes))
        {
            var begin = tensor.Offset - DataOffset;
            if (begin != end)
            {
                throw new CheckpointFormatException(_path, null,
                    $"tensor '{tensor.Name}' to start at data offset {end}, where the one before it ends", $"{begin}");
            }
            end += tensor.Bytes;
        }
        if (dataLength is { } length && length != end)
        {
            throw new CheckpointFormatException(_path, DataOffset,
                $"{end:N0} bytes of tensor data after the header", $"{length:N0} ({(length < end ? "the file is cut off" : "something was appended")})");
        }
        return end;
    }

    private readonly void Expect(JsonTokenType type, string expected)
    {
        if (_reader.TokenType != type)
            throw Bad(expected, Describe(), _reader.TokenStartIndex);
    }

    private readonly string Describe() => _reader.TokenType switch
    {
        JsonTokenType.Number => Encoding.UTF8.GetString(_reader.ValueSpan[..Math.Min(40, _reader.ValueSpan.Length)]),
        var type => type.ToString(),
    };

    private static long Offset(long jsonOffset) => SafetensorsLimits.LengthBytes + jsonOffset;

    private readonly CheckpointFormatException Bad(string expected, string found, long jsonOffset) => new(_path, Offset(jsonOffset), expected, found);
}

using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text.Encodings.Web;
using System.Text.Json;
using Plimsoll.Numerics;

namespace Plimsoll.Checkpoints.Safetensors;

/// <summary>A tensor that a safetensors file is to hold.</summary>
/// <param name="Dimensions">Row-major, slowest first; empty for a scalar.</param>
public readonly record struct SafetensorsEntry(string Name, NumberFormat Format, ImmutableArray<long> Dimensions);

/// <summary>Everything of a safetensors file but its data.</summary>
/// <param name="Header">The bytes before the first tensor.</param>
/// <param name="Places">Where the data of each tensor begins, in bytes from the start of the file.</param>
/// <param name="Length">Bytes of the whole file.</param>
public sealed record SafetensorsPlan(ReadOnlyMemory<byte> Header, ImmutableDictionary<string, long> Places, long Length);

/// <summary>Lays out safetensors files; the counterpart of <see cref="SafetensorsReader"/>.</summary>
/// <remarks>
/// As the reference writer does (safetensors, tensor.rs): wide elements first, then by name, the JSON padded with blanks to a multiple of eight bytes, so
/// that every tensor is aligned to its elements.
/// </remarks>
public static class SafetensorsWriter
{
    /// <summary>Without this transformers refuses to load a file.</summary>
    private static readonly KeyValuePair<string, string> PyTorch = new("format", "pt");

    /// <summary>Every character that JSON allows stays readable.</summary>
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <param name="metadata">Free text for <c>__metadata__</c>; <c>format: pt</c> is added.</param>
    /// <exception cref="ArgumentException">A format has no safetensors dtype, two tensors have one name, or the header exceeds the format's limit.</exception>
    public static SafetensorsPlan Plan(IEnumerable<SafetensorsEntry> tensors, IEnumerable<KeyValuePair<string, string>> metadata)
    {
        var sorted = tensors.OrderByDescending(tensor => tensor.Format.BlockBytes).ThenBy(tensor => tensor.Name, StringComparer.Ordinal).ToList();
        var ends = new Dictionary<string, long>(StringComparer.Ordinal);
        var json = new MemoryStream();
        var end = 0L;
        using (var writer = new Utf8JsonWriter(json, Options))
        {
            writer.WriteStartObject();
            writer.WriteStartObject("__metadata__");
            foreach (var (key, text) in metadata.Append(PyTorch).OrderBy(pair => pair.Key, StringComparer.Ordinal))
                writer.WriteString(key, text);
            writer.WriteEndObject();
            foreach (var tensor in sorted)
            {
                var begin = end;
                end = checked(end + tensor.Format.BytesFor(tensor.Dimensions.Aggregate(1L, (product, size) => checked(product * size))));
                if (!ends.TryAdd(tensor.Name, begin))
                    throw new ArgumentException($"two tensors with the name '{tensor.Name}'", nameof(tensors));
                Write(writer, tensor, begin, end);
            }
            writer.WriteEndObject();
        }
        var header = Frame(json.GetBuffer().AsSpan(0, (int)json.Length));
        return new(header, ends.ToImmutableDictionary(place => place.Key, place => header.Length + place.Value), checked(header.Length + end));
    }

    private static void Write(Utf8JsonWriter writer, SafetensorsEntry tensor, long begin, long end)
    {
        writer.WriteStartObject(tensor.Name);
        writer.WriteString("dtype", tensor.Format.SafetensorsType ?? throw new ArgumentException($"{tensor.Format} of tensor '{tensor.Name}' has no safetensors dtype", nameof(tensor)));
        writer.WriteStartArray("shape");
        foreach (var size in tensor.Dimensions)
            writer.WriteNumberValue(size);
        writer.WriteEndArray();
        writer.WriteStartArray("data_offsets");
        writer.WriteNumberValue(begin);
        writer.WriteNumberValue(end);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static byte[] Frame(ReadOnlySpan<byte> json)
    {
        var padded = checked(json.Length + 7) / 8 * 8;
        if (padded > SafetensorsLimits.MaxHeaderBytes)
            throw new ArgumentException($"a header of {padded:N0} bytes; safetensors allows {SafetensorsLimits.MaxHeaderBytes:N0}", nameof(json));
        var header = new byte[SafetensorsLimits.LengthBytes + padded];
        BinaryPrimitives.WriteInt64LittleEndian(header, padded);
        json.CopyTo(header.AsSpan(SafetensorsLimits.LengthBytes));
        header.AsSpan(SafetensorsLimits.LengthBytes + json.Length).Fill((byte)' ');
        return header;
    }
}

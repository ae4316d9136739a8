using System.Collections.Immutable;
using System.Text.Json;

namespace Plimsoll.Checkpoints;

/// <summary>The file that says which shard holds which tensor: <c>model.safetensors.index.json</c> or <c>pytorch_model.bin.index.json</c>.</summary>
/// <param name="Path">The file or address, for messages.</param>
/// <param name="TotalSize">The writer's count of tensor bytes; null when absent. Ties make it differ from what the files hold.</param>
/// <param name="WeightMap">Tensor name to file name, relative to the index.</param>
public sealed record ShardIndex(string Path, long? TotalSize, ImmutableDictionary<string, string> WeightMap)
{
    /// <summary>The largest real ones have 9 MB (DeepSeek-V3); the cap is that of a safetensors header.</summary>
    public const int MaxBytes = 100_000_000;

    /// <summary>The shards in the order of their names.</summary>
    public ImmutableArray<string> Files => [.. WeightMap.Values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    /// <exception cref="CheckpointFormatException">The file is no index.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static ShardIndex Read(string path)
    {
        var length = new FileInfo(path).Length;
        return length <= MaxBytes
            ? Parse(path, File.ReadAllBytes(path))
            : throw new CheckpointFormatException(path, null, $"an index of at most {MaxBytes:N0} bytes", $"{length:N0}");
    }

    /// <exception cref="CheckpointFormatException">The text is no index.</exception>
    public static ShardIndex Parse(string path, ReadOnlySpan<byte> json)
    {
        if (json.StartsWith("\uFEFF"u8))
            json = json[3..];
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 64 });
        try
        {
            return Parse(path, ref reader);
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            throw new CheckpointFormatException(path, reader.BytesConsumed, "an index of valid JSON", failure.Message, failure);
        }
    }

    private static ShardIndex Parse(string path, ref Utf8JsonReader reader)
    {
        long? totalSize = null;
        ImmutableDictionary<string, string>? weightMap = null;
        reader.Read();
        Expect(path, ref reader, JsonTokenType.StartObject, "an object");
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var name = reader.GetString();
            reader.Read();
            if (name == "weight_map")
                weightMap = ReadWeightMap(path, ref reader);
            else if (name == "metadata" && reader.TokenType == JsonTokenType.StartObject)
                totalSize = ReadTotalSize(ref reader);
            else
                reader.Skip();
        }
        reader.Read();
        return new(path, totalSize, weightMap ?? throw new CheckpointFormatException(path, null, "an object 'weight_map'", "none"));
    }

    private static ImmutableDictionary<string, string> ReadWeightMap(string path, ref Utf8JsonReader reader)
    {
        Expect(path, ref reader, JsonTokenType.StartObject, "an object as 'weight_map'");
        var map = ImmutableDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var at = reader.TokenStartIndex;
            var tensor = reader.GetString()!;
            reader.Read();
            Expect(path, ref reader, JsonTokenType.String, $"a file name for tensor '{tensor}'");
            var file = reader.GetString()!;
            if (!IsInside(file))
                throw new CheckpointFormatException(path, at, $"a file beside the index for tensor '{tensor}'", $"'{file}'");
            if (!map.TryAdd(tensor, file))
                throw new CheckpointFormatException(path, at, "every tensor name once", $"'{tensor}' a second time");
        }
        return map.ToImmutable();
    }

    /// <summary>Some writers store the size as a floating-point number; others store text, which does not count.</summary>
    private static long? ReadTotalSize(ref Utf8JsonReader reader)
    {
        long? size = null;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var isSize = reader.ValueTextEquals("total_size"u8);
            reader.Read();
            if (isSize && reader.TokenType == JsonTokenType.Number)
                size = reader.TryGetInt64(out var exact) ? exact : reader.TryGetDouble(out var number) && number is >= 0 and < 9e18 ? (long)number : null;
            else
                reader.Skip();
        }
        return size;
    }

    /// <summary>An index must not lead the reader out of its folder.</summary>
    private static bool IsInside(string file) =>
        file.Length > 0 && !System.IO.Path.IsPathRooted(file) && !file.Contains('\0') && !file.Contains(':')
        && !file.Split('/', '\\').Any(part => part is "" or "." or "..");

    private static void Expect(string path, ref Utf8JsonReader reader, JsonTokenType type, string expected)
    {
        if (reader.TokenType != type)
            throw new CheckpointFormatException(path, reader.TokenStartIndex, expected, reader.TokenType.ToString());
    }
}

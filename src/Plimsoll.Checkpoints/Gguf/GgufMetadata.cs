using System.Collections.Immutable;

namespace Plimsoll.Checkpoints.Gguf;

/// <summary>The key-value pairs of a GGUF file.</summary>
/// <remarks>Integers of every width are widened to <see cref="long"/>; small numeric arrays are read; long arrays (the vocabulary) are only located.</remarks>
public sealed class GgufMetadata(string path, IReadOnlyDictionary<string, object> values)
{
    /// <summary>The file, for messages.</summary>
    public string Path { get; } = path;

    public IEnumerable<string> Keys => values.Keys;

    /// <summary>The raw value: long, double, bool, string, <see cref="ImmutableArray{T}"/> of long or double, or a reader-specific handle of a long array.</summary>
    public object? Raw(string key) => values.GetValueOrDefault(key);

    public string? String(string key) => values.GetValueOrDefault(key) as string;

    public long? Integer(string key) => values.GetValueOrDefault(key) as long?;

    public double? Number(string key) => values.GetValueOrDefault(key) switch
    {
        double number => number,
        long number => number,
        _ => null,
    };

    public bool? Boolean(string key) => values.GetValueOrDefault(key) as bool?;

    /// <summary>An array of integers, or a scalar as an array of one: GGUF uses both for values that may differ by layer.</summary>
    public ImmutableArray<long>? Integers(string key) => values.GetValueOrDefault(key) switch
    {
        long number => [number],
        ImmutableArray<long> numbers => numbers,
        _ => null,
    };
}

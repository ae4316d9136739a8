using System.Collections.Immutable;

namespace Plimsoll.Checkpoints.Gguf;

/// <summary>The bytes of one value in a GGUF file: type, and for an array element type and count, then the value itself.</summary>
/// <param name="Offset">From the start of the file.</param>
public readonly record struct GgufPlace(long Offset, long Bytes);

/// <summary>The key-value pairs of a GGUF file.</summary>
/// <remarks>
/// Integers of every width are widened to <see cref="long"/>; short numeric arrays are read; long ones and arrays of strings (the vocabulary) are only located.
/// Every typed getter gives null when the key is absent, and throws when it is there with another type: a wrong type is a broken file, not a missing value.
/// </remarks>
public sealed class GgufMetadata(string path, IReadOnlyDictionary<string, object> values, IReadOnlyDictionary<string, GgufPlace>? places = null)
{
    /// <summary>The file, for messages.</summary>
    public string Path { get; } = path;

    public IEnumerable<string> Keys => values.Keys;

    public int Count => values.Count;

    /// <summary>Where the value lies in the file, its type included; null when the key is absent or the metadata was not read from a GGUF file.</summary>
    public GgufPlace? Place(string key) => places is not null && places.TryGetValue(key, out var place) ? place : null;

    public bool Contains(string key) => values.ContainsKey(key);

    /// <summary>
    /// The value: long, ulong beyond 2^63-1, double, bool, string, <see cref="ImmutableArray{T}"/> of long, double or bool, or <see cref="GgufArray"/>.
    /// </summary>
    public object? Raw(string key) => values.GetValueOrDefault(key);

    /// <exception cref="CheckpointFormatException">The value is no string.</exception>
    public string? String(string key) => Raw(key) switch
    {
        null => null,
        string text => text,
        var other => throw Wrong(key, "a string", other),
    };

    /// <exception cref="CheckpointFormatException">The value is no integer.</exception>
    public long? Integer(string key) => Raw(key) switch
    {
        null => null,
        long number => number,
        var other => throw Wrong(key, "an integer below 2^63", other),
    };

    /// <summary>A floating-point value, or an integer as one.</summary>
    /// <exception cref="CheckpointFormatException">The value is no number.</exception>
    public double? Number(string key) => Raw(key) switch
    {
        null => null,
        double number => number,
        long number => number,
        ulong number => number,
        var other => throw Wrong(key, "a number", other),
    };

    /// <exception cref="CheckpointFormatException">The value is no truth value.</exception>
    public bool? Boolean(string key) => Raw(key) switch
    {
        null => null,
        bool truth => truth,
        var other => throw Wrong(key, "a boolean", other),
    };

    /// <summary>An array of integers, or a scalar as an array of one: GGUF uses both for values that may differ by layer.</summary>
    /// <exception cref="CheckpointFormatException">The value is neither, or an array too long to be read with the header.</exception>
    public ImmutableArray<long>? Integers(string key) => Raw(key) switch
    {
        null => null,
        long number => [number],
        ImmutableArray<long> numbers => numbers,
        GgufArray { Count: 0 } => [],
        var other => throw Wrong(key, $"an integer or an array of up to {GgufLimits.MaxLoadedElements:N0} integers", other),
    };

    /// <summary>An array of numbers, or a scalar as an array of one.</summary>
    /// <exception cref="CheckpointFormatException">The value is neither, or an array too long to be read with the header.</exception>
    public ImmutableArray<double>? Numbers(string key) => Raw(key) switch
    {
        null => null,
        double number => [number],
        long number => [number],
        ImmutableArray<double> numbers => numbers,
        ImmutableArray<long> numbers => [.. numbers.Select(number => (double)number)],
        GgufArray { Count: 0 } => [],
        var other => throw Wrong(key, $"a number or an array of up to {GgufLimits.MaxLoadedElements:N0} numbers", other),
    };

    /// <summary>An array of truth values, or a scalar as an array of one; integers count as true unless 0, as some writers store layer patterns.</summary>
    /// <exception cref="CheckpointFormatException">The value is neither, or an array too long to be read with the header.</exception>
    public ImmutableArray<bool>? Booleans(string key) => Raw(key) switch
    {
        null => null,
        bool truth => [truth],
        ImmutableArray<bool> truths => truths,
        ImmutableArray<long> numbers => [.. numbers.Select(number => number != 0)],
        GgufArray { Count: 0 } => [],
        var other => throw Wrong(key, $"a boolean or an array of up to {GgufLimits.MaxLoadedElements:N0} booleans", other),
    };

    /// <summary>The strings of an array, read from the file one after the other.</summary>
    /// <exception cref="CheckpointFormatException">The value is no array of strings.</exception>
    public IEnumerable<string>? Strings(string key) => Raw(key) switch
    {
        null => null,
        GgufArray { ElementType: GgufValueType.Text } array => array.ReadStrings(),
        var other => throw Wrong(key, "an array of strings", other),
    };

    /// <summary>The number of elements of an array of any type, read or located: the vocabulary's size is that of <c>tokenizer.ggml.tokens</c>.</summary>
    /// <exception cref="CheckpointFormatException">The value is no array.</exception>
    public long? Length(string key) => Raw(key) switch
    {
        null => null,
        GgufArray array => array.Count,
        ImmutableArray<long> numbers => numbers.Length,
        ImmutableArray<double> numbers => numbers.Length,
        ImmutableArray<bool> truths => truths.Length,
        var other => throw Wrong(key, "an array", other),
    };

    private CheckpointFormatException Wrong(string key, string expected, object value) => new(Path, null, $"{expected} as the value of '{key}'", value switch
    {
        string text => $"the string '{(text.Length <= 40 ? text : text[..40] + "…")}'",
        bool truth => truth ? "the boolean true" : "the boolean false",
        long or ulong => $"the integer {value}",
        double number => System.FormattableString.Invariant($"the number {number}"),
        ImmutableArray<long> numbers => $"an array of {numbers.Length:N0} integers",
        ImmutableArray<double> numbers => $"an array of {numbers.Length:N0} numbers",
        ImmutableArray<bool> truths => $"an array of {truths.Length:N0} booleans",
        GgufArray array => $"an array of {array.Count:N0} values of type {array.ElementType}",
        _ => value.GetType().Name,
    });
}

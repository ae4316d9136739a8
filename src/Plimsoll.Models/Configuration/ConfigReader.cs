using System.Collections.Immutable;
using System.Text.Json;
using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.HuggingFace;

namespace Plimsoll.Models.Configuration;

/// <summary>Reads facts out of a configuration object. Every getter takes the spellings that different families use for the same fact, best first.</summary>
/// <remarks>A key whose value is <c>null</c> counts as absent. Whatever has the wrong type or an impossible size is a <see cref="CheckpointFormatException"/> that names the key.</remarks>
internal sealed class ConfigReader
{
    /// <summary>No published model has more layers, heads or experts by far; a larger number is damage, and would cost memory.</summary>
    internal const int MaxCount = 8192;

    /// <summary>The largest published width is about 430,000 and the largest vocabulary about 260,000.</summary>
    internal const int MaxWidth = 1 << 26;

    private readonly string path;
    private readonly string prefix;

    public ConfigReader(ModelConfig config)
        : this(config.Path, "", config.Root)
    {
    }

    private ConfigReader(string path, string prefix, JsonElement root)
    {
        this.path = path;
        this.prefix = prefix;
        Root = root;
    }

    public JsonElement Root { get; }

    public string Path => path;

    /// <summary>A width: hidden size, vocabulary, head dimension.</summary>
    public int Width(params ReadOnlySpan<string> names) => TryWidth(names) ?? throw Missing(names);

    public int Width(string name, int fallback) => TryWidth(name) ?? fallback;

    public int? TryWidth(params ReadOnlySpan<string> names) => (int?)TryInteger(MaxWidth, names);

    /// <summary>A number of things: layers, heads, experts.</summary>
    public int Count(params ReadOnlySpan<string> names) => TryCount(names) ?? throw Missing(names);

    public int Count(string name, int fallback) => TryCount(name) ?? fallback;

    public int? TryCount(params ReadOnlySpan<string> names) => (int?)TryInteger(MaxCount, names);

    /// <summary>A number of tokens: context, window.</summary>
    public int? TryTokens(params ReadOnlySpan<string> names) => (int?)TryInteger(int.MaxValue, names);

    public double Number(string name, double fallback) => Find(name) is not { } value
        ? fallback
        : value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) ? number : throw Wrong(name, "a number", value);

    public bool Flag(string name, bool fallback) => TryFlag(name) ?? fallback;

    public bool? TryFlag(string name) => Find(name) is not { } value
        ? null
        : value.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => throw Wrong(name, "true or false", value),
        };

    public string? Text(string name) => Find(name) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

    public bool Has(string name) => Find(name) is not null;

    /// <summary>A nested object such as <c>text_config</c>; null when absent or not an object.</summary>
    public ConfigReader? Nested(string name) => Find(name) is { ValueKind: JsonValueKind.Object } value ? new(path, $"{prefix}{name}.", value) : null;

    /// <summary>One integer per layer; null when absent.</summary>
    public ImmutableArray<int>? Integers(string name, int? length = null)
    {
        if (Find(name) is not { } value)
            return null;
        if (value.ValueKind != JsonValueKind.Array)
            throw Wrong(name, "a list of integers", value);
        CheckLength(name, value, length);
        var numbers = ImmutableArray.CreateBuilder<int>(value.GetArrayLength());
        foreach (var item in value.EnumerateArray())
        {
            if (item.ValueKind is JsonValueKind.True or JsonValueKind.False)
                numbers.Add(item.ValueKind == JsonValueKind.True ? 1 : 0);
            else if (item.ValueKind == JsonValueKind.Number && item.TryGetInt32(out var number))
                numbers.Add(number);
            else
                throw Wrong(name, "a list of integers", item);
        }
        return numbers.MoveToImmutable();
    }

    /// <summary>One word per layer, such as <c>layer_types</c>; null when absent.</summary>
    public ImmutableArray<string>? Texts(string name, int? length = null)
    {
        if (Find(name) is not { ValueKind: JsonValueKind.Array } value)
            return null;
        CheckLength(name, value, length);
        var texts = ImmutableArray.CreateBuilder<string>(value.GetArrayLength());
        foreach (var item in value.EnumerateArray())
            texts.Add(item.ValueKind == JsonValueKind.String ? item.GetString()! : throw Wrong(name, "a list of words", item));
        return texts.MoveToImmutable();
    }

    public CheckpointFormatException Wrong(string name, string expected, JsonElement found) => Wrong(name, expected, Shorten(found.GetRawText()));

    public CheckpointFormatException Wrong(string name, string expected, string found) => new(path, null, $"{prefix}{name} to be {expected}", found);

    public CheckpointFormatException Missing(params ReadOnlySpan<string> names) =>
        new(path, null, $"the key {string.Join(" or ", names.ToArray().Select(name => prefix + name))}", "no such key");

    private static string Shorten(string text) => text.Length <= 60 ? text : text[..60] + "…";

    private void CheckLength(string name, JsonElement list, int? length)
    {
        var found = list.GetArrayLength();
        if (length is { } expected && found < expected)
            throw Wrong(name, $"a list of at least {expected} entries, one per layer", $"{found} entries");
        if (found > MaxCount)
            throw Wrong(name, $"a list of at most {MaxCount} entries", $"{found} entries");
    }

    private long? TryInteger(int limit, ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (Find(name) is not { } value)
                continue;
            if (value.ValueKind != JsonValueKind.Number || !value.TryGetDouble(out var number) || number != Math.Floor(number))
                throw Wrong(name, "an integer", value);
            if (number < 0 || number > limit)
                throw Wrong(name, $"between 0 and {limit}", value);
            return (long)number;
        }
        return null;
    }

    private JsonElement? Find(string name) => Root.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
}

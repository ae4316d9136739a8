using System.Collections.Immutable;
using System.Text.Json;

namespace Plimsoll.Checkpoints.HuggingFace;

/// <summary>A parsed <c>config.json</c>: the raw object, with readers that name the file and the key when a value has the wrong type.</summary>
/// <remarks>
/// A reader takes further keys for the same fact and returns the first that is given (<c>Integer("num_hidden_layers", "n_layer")</c>);
/// JSON null counts as not given, as it does in Python. Readers without "Require" return null when no key is given.
/// </remarks>
public sealed class ModelConfig
{
    /// <summary>Where multimodal configurations keep their language model.</summary>
    private static readonly string[] LanguageParts = ["text_config", "llm_config", "language_config", "language_model_config", "thinker_config"];

    private readonly string prefix;

    private ModelConfig(string path, JsonElement root, string prefix = "")
    {
        Path = path;
        Root = root;
        this.prefix = prefix;
    }

    /// <summary>The file or address it came from, for messages.</summary>
    public string Path { get; }

    public JsonElement Root { get; }

    /// <summary>The part that describes the language model (<c>text_config</c> and its other names, also nested), or this one itself.</summary>
    public ModelConfig Text
    {
        get
        {
            foreach (var key in LanguageParts)
            {
                if (Root.TryGetProperty(key, out var part) && part.ValueKind == JsonValueKind.Object && part.EnumerateObject().Any())
                    return new ModelConfig(Path, part, prefix + key + ".").Text;
            }
            return this;
        }
    }

    /// <exception cref="CheckpointFormatException">The text is not JSON, or not an object.</exception>
    public static ModelConfig Parse(string path, ReadOnlyMemory<byte> json)
    {
        var root = PythonJson.Parse(path, json);
        if (root.ValueKind != JsonValueKind.Object)
            throw new CheckpointFormatException(path, 0, "a JSON object", Describe(root));
        return new(path, root);
    }

    /// <summary>The configuration of the language model inside a multimodal one (<c>text_config</c>), or this one itself.</summary>
    public ModelConfig Nested(JsonElement part) => new(Path, part, prefix);

    /// <summary>Whether the key is there with a value other than null.</summary>
    public bool Has(string key) => Value(key) is not null;

    /// <summary>A whole number; <c>32.0</c> counts as one.</summary>
    /// <exception cref="CheckpointFormatException">The value is something else, or does not fit 64 bits.</exception>
    public long? Integer(string key, params ReadOnlySpan<string> alternatives) =>
        Find(key, alternatives) is { } found ? ReadInteger(found) : null;

    /// <inheritdoc cref="Integer"/>
    public long RequireInteger(string key, params ReadOnlySpan<string> alternatives) => Integer(key, alternatives) ?? throw Missing(key, alternatives);

    /// <summary>A number; Python's <c>Infinity</c> is infinity.</summary>
    /// <exception cref="CheckpointFormatException">The value is not a number.</exception>
    public double? Number(string key, params ReadOnlySpan<string> alternatives) =>
        Find(key, alternatives) is not { } found ? null
        : found.Value.ValueKind == JsonValueKind.Number ? found.Value.GetDouble()
        : throw Wrong(found, "a number");

    /// <exception cref="CheckpointFormatException">The value is neither true nor false.</exception>
    public bool? Boolean(string key, params ReadOnlySpan<string> alternatives) => Find(key, alternatives) is not { } found ? null : found.Value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Wrong(found, "true or false"),
    };

    /// <exception cref="CheckpointFormatException">The value is not a string.</exception>
    public string? String(string key, params ReadOnlySpan<string> alternatives) =>
        Find(key, alternatives) is { } found ? ReadString(found) : null;

    /// <inheritdoc cref="String"/>
    public string RequireString(string key, params ReadOnlySpan<string> alternatives) => String(key, alternatives) ?? throw Missing(key, alternatives);

    /// <summary>An array of whole numbers, or one number as an array of one: some models give a value per layer where others give one for all.</summary>
    /// <exception cref="CheckpointFormatException">An element is not a whole number.</exception>
    public ImmutableArray<long>? Integers(string key, params ReadOnlySpan<string> alternatives) =>
        Find(key, alternatives) is { } found ? [.. Elements(found).Select(ReadInteger)] : null;

    /// <summary>An array of numbers, or one number as an array of one.</summary>
    /// <exception cref="CheckpointFormatException">An element is not a number.</exception>
    public ImmutableArray<double>? Numbers(string key, params ReadOnlySpan<string> alternatives) =>
        Find(key, alternatives) is { } found
            ? [.. Elements(found).Select(element => element.Value.ValueKind == JsonValueKind.Number ? element.Value.GetDouble() : throw Wrong(element, "a number"))]
            : null;

    /// <summary>An array of strings, or one string as an array of one.</summary>
    /// <exception cref="CheckpointFormatException">An element is not a string.</exception>
    public ImmutableArray<string>? Strings(string key, params ReadOnlySpan<string> alternatives) =>
        Find(key, alternatives) is { } found ? [.. Elements(found).Select(ReadString)] : null;

    /// <summary>An object inside, with the same readers.</summary>
    /// <exception cref="CheckpointFormatException">The value is not an object.</exception>
    public ModelConfig? Object(string key, params ReadOnlySpan<string> alternatives) =>
        Find(key, alternatives) is not { } found ? null
        : found.Value.ValueKind == JsonValueKind.Object ? new(Path, found.Value, found.Key + ".")
        : throw Wrong(found, "an object");

    /// <summary>The members of this object that are objects themselves, by key and in file order.</summary>
    internal IEnumerable<(string Key, ModelConfig Value)> Objects() => Root.EnumerateObject()
        .Where(member => member.Value.ValueKind == JsonValueKind.Object)
        .Select(member => (member.Name, new ModelConfig(Path, member.Value, prefix + member.Name + ".")));

    /// <summary>The value when it is given, whatever its type.</summary>
    internal JsonElement? Value(string key) =>
        Root.TryGetProperty(key, out var value) && value.ValueKind is not (JsonValueKind.Null or JsonValueKind.Undefined) ? value : null;

    /// <summary>The exception for a value whose type is right and whose content is not.</summary>
    internal CheckpointFormatException Refuse(string key, string expected) =>
        Wrong(new(prefix + key, Root.TryGetProperty(key, out var value) ? value : default), expected);

    private Found? Find(string key, ReadOnlySpan<string> alternatives)
    {
        if (Value(key) is { } first)
            return new(prefix + key, first);
        foreach (var alternative in alternatives)
        {
            if (Value(alternative) is { } value)
                return new(prefix + alternative, value);
        }
        return null;
    }

    private long ReadInteger(Found found)
    {
        if (found.Value.ValueKind == JsonValueKind.Number)
        {
            if (found.Value.TryGetInt64(out var integer))
                return integer;
            // 2^53: beyond it a double no longer tells neighbouring integers apart.
            if (found.Value.GetDouble() is var number && Math.Abs(number) <= 1L << 53 && number == Math.Truncate(number))
                return (long)number;
        }
        throw Wrong(found, "a whole number that fits 64 bits");
    }

    private string ReadString(Found found) => found.Value.ValueKind == JsonValueKind.String ? found.Value.GetString()! : throw Wrong(found, "a string");

    private static IEnumerable<Found> Elements(Found found) => found.Value.ValueKind == JsonValueKind.Array
        ? found.Value.EnumerateArray().Select((element, index) => new Found($"{found.Key}[{index}]", element))
        : [found];

    private CheckpointFormatException Wrong(Found found, string expected) => new(Path, null, $"\"{found.Key}\" to be {expected}", Describe(found.Value));

    private CheckpointFormatException Missing(string key, ReadOnlySpan<string> alternatives)
    {
        var others = alternatives.Length == 0 ? "" : $" (or {string.Join(", ", alternatives.ToArray().Select(name => $"\"{prefix}{name}\""))})";
        return new(Path, null, $"the key \"{prefix}{key}\"{others}", "no such key");
    }

    private static string Describe(JsonElement value)
    {
        const int longest = 40;
        if (value.ValueKind == JsonValueKind.Undefined)
            return "nothing";
        var text = value.GetRawText().ReplaceLineEndings(" ");
        return text.Length <= longest ? text : text[..longest] + "…";
    }

    private readonly record struct Found(string Key, JsonElement Value);
}

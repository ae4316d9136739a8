using System.Collections;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Plimsoll.Checkpoints.Templates;

/// <summary>A name that stands for nothing: false, empty, written as nothing; anything else is an error.</summary>
internal sealed record Undefined(string Name);

/// <summary>A Python dict, or with <paramref name="isNamespace"/> an object whose attributes can be set.</summary>
internal sealed class TemplateMap(bool isNamespace = false) : IEnumerable<KeyValuePair<object, object?>>
{
    private readonly OrderedDictionary<object, object?> _values = [];

    public bool IsNamespace => isNamespace;

    public int Count => _values.Count;

    public object? this[object key]
    {
        get => _values[key];
        set => _values[key] = value;
    }

    public bool TryGet(object? key, out object? value)
    {
        value = null;
        return key is not null && _values.TryGetValue(key, out value);
    }

    public bool Remove(object key) => _values.Remove(key);

    public IEnumerable<object?> Keys => _values.Keys;

    public IEnumerable<object?> Values => _values.Values;

    public IEnumerator<KeyValuePair<object, object?>> GetEnumerator() => _values.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}

/// <summary>What can be called: a function of positional and named arguments.</summary>
internal delegate object? TemplateFunction(IReadOnlyList<object?> arguments, IReadOnlyDictionary<string, object?> named);

/// <summary>
/// The values of templates: null (none), <see cref="Undefined"/>, bool, long, double, string, <see cref="List{T}"/>, <see cref="TemplateMap"/> and
/// <see cref="TemplateFunction"/>, with Python's rules.
/// </summary>
internal static class TemplateValues
{
    public static bool IsTrue(object? value) => value switch
    {
        null or Undefined => false,
        bool truth => truth,
        long number => number != 0,
        double number => number != 0,
        string text => text.Length > 0,
        List<object?> list => list.Count > 0,
        TemplateMap map => map.IsNamespace || map.Count > 0,
        _ => true,
    };

    public static bool AreEqual(object? left, object? right) => (left, right) switch
    {
        (List<object?> a, List<object?> b) => a.Count == b.Count && a.Zip(b).All(pair => AreEqual(pair.First, pair.Second)),
        (TemplateMap a, TemplateMap b) => a.Count == b.Count && a.All(pair => b.TryGet(pair.Key, out var other) && AreEqual(pair.Value, other)),
        (long or double or bool, long or double or bool) => Number(left) == Number(right),
        (Undefined, Undefined) => true,
        _ => Equals(left, right),
    };

    /// <summary>A number of any kind; NaN for what is none.</summary>
    public static double Number(object? value) => value switch { long number => number, double number => number, bool truth => truth ? 1 : 0, _ => double.NaN };

    /// <summary>The order of numbers, strings and lists.</summary>
    /// <exception cref="TemplateException">The two have no order.</exception>
    public static int Compare(object? left, object? right) => (left, right) switch
    {
        (string a, string b) => string.CompareOrdinal(a, b),
        (long a, long b) => a.CompareTo(b),
        (long or double or bool, long or double or bool) => Number(left).CompareTo(Number(right)),
        (List<object?> a, List<object?> b) => a.Zip(b).Select(pair => Compare(pair.First, pair.Second)).FirstOrDefault(order => order != 0, a.Count.CompareTo(b.Count)),
        _ => throw new TemplateException($"{Kind(left)} and {Kind(right)} have no order"),
    };

    /// <summary>The elements of a list, the keys of a map, the characters of a string.</summary>
    /// <exception cref="TemplateException">There is nothing to go through.</exception>
    public static IReadOnlyList<object?> Items(object? value) => value switch
    {
        Undefined => [],
        List<object?> list => list,
        TemplateMap map => [.. map.Keys],
        string text => [.. text.EnumerateRunes().Select(rune => (object?)rune.ToString())],
        _ => throw new TemplateException($"{Kind(value)} has no elements"),
    };

    /// <summary>As Python's <c>str</c>.</summary>
    public static string Text(object? value) => value switch
    {
        Undefined => "",
        string text => text,
        _ => Representation(value),
    };

    /// <summary>As Python's <c>repr</c>.</summary>
    public static string Representation(object? value) => value switch
    {
        null => "None",
        Undefined => "Undefined",
        bool truth => truth ? "True" : "False",
        long number => number.ToString(CultureInfo.InvariantCulture),
        double number => Float(number),
        string text => Quoted(text),
        List<object?> list => $"[{string.Join(", ", list.Select(Representation))}]",
        TemplateMap map => $"{{{string.Join(", ", map.Select(pair => $"{Representation(pair.Key)}: {Representation(pair.Value)}"))}}}",
        _ => "<function>",
    };

    /// <summary>As Python writes a float: the shortest digits that give it back, with a point or an exponent.</summary>
    public static string Float(double number)
    {
        var text = number.ToString("R", CultureInfo.InvariantCulture);
        return text.AsSpan().IndexOfAny("E.n∞N") >= 0 ? text.Replace("E", "e", StringComparison.Ordinal) : text + ".0";
    }

    /// <summary>What a value is, for messages.</summary>
    public static string Kind(object? value) => value switch
    {
        null => "none",
        Undefined undefined => $"'{undefined.Name}' (undefined)",
        bool => "a boolean",
        long or double => "a number",
        string => "a string",
        List<object?> => "a list",
        TemplateMap => "a mapping",
        _ => "a function",
    };

    public static object? FromJson(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => FromObject(element),
        JsonValueKind.Array => element.EnumerateArray().Select(FromJson).ToList(),
        JsonValueKind.String => element.GetString(),
        JsonValueKind.Number => element.TryGetInt64(out var integer) ? (object)integer : element.GetDouble(),
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => null,
    };

    private static TemplateMap FromObject(JsonElement element)
    {
        var map = new TemplateMap();
        foreach (var member in element.EnumerateObject())
            map[member.Name] = FromJson(member.Value);
        return map;
    }

    private static string Quoted(string text)
    {
        var quote = text.Contains('\'') && !text.Contains('"') ? '"' : '\'';
        var result = new StringBuilder().Append(quote);
        foreach (var letter in text)
        {
            result.Append(letter switch
            {
                '\n' => "\\n", '\r' => "\\r", '\t' => "\\t", '\\' => "\\\\",
                _ => letter == quote ? "\\" + letter : letter < ' ' ? string.Create(CultureInfo.InvariantCulture, $"\\x{(int)letter:x2}") : letter.ToString(),
            });
        }
        return result.Append(quote).ToString();
    }
}

using System.Globalization;
using System.Net;
using System.Text;

namespace Plimsoll.Checkpoints.Templates;

/// <summary>A filter: the value before the bar, and the arguments behind its name.</summary>
internal delegate object? TemplateFilter(object? value, IReadOnlyList<object?> arguments, IReadOnlyDictionary<string, object?> named);

/// <summary>What stands behind <c>|</c>.</summary>
internal static class TemplateFilters
{
    /// <returns>Null for a filter that we do not know.</returns>
    public static TemplateFilter? Find(string name) => name switch
    {
        "trim" => (value, arguments, _) => arguments is [string letters, ..] ? Text(value).Trim(letters.ToCharArray()) : Text(value).Trim(),
        "upper" => (value, _, _) => Text(value).ToUpperInvariant(),
        "lower" => (value, _, _) => Text(value).ToLowerInvariant(),
        "title" => (value, _, _) => Title(Text(value)),
        "capitalize" => (value, _, _) => Capitalize(Text(value)),
        "string" => (value, _, _) => Text(value),
        "safe" => (value, _, _) => value,
        "escape" or "e" => (value, _, _) => WebUtility.HtmlEncode(Text(value)),
        "replace" => (value, arguments, _) => TemplateMembers.Replace(Text(value), Text(TemplateMembers.Argument(arguments, 0, name)), Text(TemplateMembers.Argument(arguments, 1, name)),
            arguments.Count > 2 ? (long)TemplateValues.Number(arguments[2]) : -1),
        "indent" => Indent,
        "format" => (value, arguments, _) => TemplateStrings.Percent(Text(value), arguments.ToList()),
        "tojson" => ToJson,
        "from_json" => (value, _, _) => TemplateStrings.ParseJson(Text(value)),
        "length" or "count" => (value, _, _) => (long)TemplateValues.Items(value).Count,
        "default" or "d" => Default,
        "int" => (value, arguments, _) => ToInteger(value) ?? (arguments.Count > 0 ? arguments[0] : 0L),
        "float" => (value, _, _) => value is string text ? double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : 0.0 : TemplateValues.Number(value),
        "abs" => (value, _, _) => value is long number ? (object)Math.Abs(number) : Math.Abs(TemplateValues.Number(value)),
        "round" => (value, arguments, _) => Math.Round(TemplateValues.Number(value), arguments is [long digits and >= 0 and <= 15, ..] ? (int)digits : 0),
        "first" => (value, _, _) => TemplateValues.Items(value) is { Count: > 0 } items ? items[0] : new Undefined("the first of nothing"),
        "last" => (value, _, _) => TemplateValues.Items(value) is { Count: > 0 } items ? items[^1] : new Undefined("the last of nothing"),
        "list" => (value, _, _) => TemplateValues.Items(value).ToList(),
        "items" => (value, _, _) => value is Undefined ? new List<object?>() : Pairs(value, name),
        "dictsort" => (value, _, _) => Pairs(value, name).OrderBy(pair => Text(((List<object?>)pair!)[0]).ToLowerInvariant(), StringComparer.Ordinal).ToList(),
        "reverse" => (value, _, _) => value is string text ? string.Concat(text.Reverse()) : TemplateValues.Items(value).Reverse().ToList(),
        "sort" => Sort,
        "unique" => (value, _, _) => Unique(TemplateValues.Items(value)),
        "sum" => (value, _, _) => TemplateValues.Items(value).Aggregate((object?)0L, (sum, item) => TemplateOperators.Calculate("+", sum, item)),
        "min" => (value, _, _) => TemplateValues.Items(value) is { Count: > 0 } items ? items.Aggregate((a, b) => TemplateValues.Compare(b, a) < 0 ? b : a) : new Undefined("the least of nothing"),
        "max" => (value, _, _) => TemplateValues.Items(value) is { Count: > 0 } items ? items.Aggregate((a, b) => TemplateValues.Compare(b, a) > 0 ? b : a) : new Undefined("the most of nothing"),
        "join" => Join,
        "map" => Map,
        "select" => (value, arguments, _) => Where(value, item => Passes(item, arguments, 0)),
        "reject" => (value, arguments, _) => Where(value, item => !Passes(item, arguments, 0)),
        "selectattr" => (value, arguments, _) => Where(value, item => Passes(Attribute(item, arguments), arguments, 1)),
        "rejectattr" => (value, arguments, _) => Where(value, item => !Passes(Attribute(item, arguments), arguments, 1)),
        _ => null,
    };

    /// <summary>Every word with a capital, the rest small.</summary>
    public static string Title(string text)
    {
        var result = new StringBuilder(text.Length);
        foreach (var letter in text)
            result.Append(result.Length > 0 && char.IsLetter(result[^1]) ? char.ToLowerInvariant(letter) : char.ToUpperInvariant(letter));
        return result.ToString();
    }

    public static string Capitalize(string text) => text.Length == 0 ? text : char.ToUpperInvariant(text[0]) + text[1..].ToLowerInvariant();

    private static string Text(object? value) => TemplateValues.Text(value);

    private static object? Default(object? value, IReadOnlyList<object?> arguments, IReadOnlyDictionary<string, object?> named)
    {
        var otherwise = arguments.Count > 0 ? arguments[0] : named.GetValueOrDefault("default_value", "");
        var replacesFalse = TemplateValues.IsTrue(arguments.Count > 1 ? arguments[1] : named.GetValueOrDefault("boolean"));
        return value is Undefined || replacesFalse && !TemplateValues.IsTrue(value) ? otherwise : value;
    }

    private static object? ToInteger(object? value) => value switch
    {
        long number => number,
        bool truth => truth ? 1L : 0L,
        double number when Math.Abs(number) < 9e18 => (long)number,
        string text when long.TryParse(text.Trim(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) => number,
        string text when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && Math.Abs(number) < 9e18 => (long)number,
        _ => null,
    };

    private static object ToJson(object? value, IReadOnlyList<object?> arguments, IReadOnlyDictionary<string, object?> named)
    {
        var indent = arguments.Count > 0 ? arguments[0] : named.GetValueOrDefault("indent");
        var separators = named.GetValueOrDefault("separators") is List<object?> { Count: 2 } pair ? (Text(pair[0]), Text(pair[1])) : ((string, string)?)null;
        return TemplateStrings.Json(value, indent is long spaces and >= 0 and <= 16 ? (int)spaces : null, TemplateValues.IsTrue(named.GetValueOrDefault("sort_keys")), separators, TemplateValues.IsTrue(named.GetValueOrDefault("ensure_ascii")));
    }

    /// <summary>Jinja's <c>indent(width=4, first=False, blank=False)</c>.</summary>
    private static object Indent(object? value, IReadOnlyList<object?> arguments, IReadOnlyDictionary<string, object?> named)
    {
        var width = arguments.Count > 0 ? arguments[0] : named.GetValueOrDefault("width", 4L);
        var space = width as string ?? new string(' ', (int)Math.Clamp(TemplateValues.Number(width), 0, 100));
        var first = TemplateValues.IsTrue(arguments.Count > 1 ? arguments[1] : named.GetValueOrDefault("first"));
        var blank = TemplateValues.IsTrue(arguments.Count > 2 ? arguments[2] : named.GetValueOrDefault("blank"));
        return string.Join('\n', Text(value).Split('\n').Select((line, index) => (index > 0 || first) && (blank || line.Length > 0) ? space + line : line));
    }

    private static object Join(object? value, IReadOnlyList<object?> arguments, IReadOnlyDictionary<string, object?> named)
    {
        var separator = arguments.Count > 0 ? arguments[0] : named.GetValueOrDefault("d", "");
        var attribute = arguments.Count > 1 ? arguments[1] : named.GetValueOrDefault("attribute");
        return string.Join(Text(separator), TemplateValues.Items(value).Select(item => Text(attribute is null ? item : TemplateMembers.Item(item, attribute))));
    }

    private static object Map(object? value, IReadOnlyList<object?> arguments, IReadOnlyDictionary<string, object?> named)
    {
        if (named.TryGetValue("attribute", out var attribute))
        {
            return TemplateValues.Items(value).Select(item => TemplateMembers.Item(item, attribute) is var found && found is Undefined && named.TryGetValue("default", out var otherwise) ? otherwise : found).ToList();
        }
        var name = Text(TemplateMembers.Argument(arguments, 0, "map"));
        var filter = Find(name) ?? throw new TemplateException($"the filter '{name}' is not known here");
        return TemplateValues.Items(value).Select(item => filter(item, [.. arguments.Skip(1)], named)).ToList();
    }

    private static object Sort(object? value, IReadOnlyList<object?> arguments, IReadOnlyDictionary<string, object?> named)
    {
        var attribute = named.GetValueOrDefault("attribute");
        var order = Comparer<object?>.Create((a, b) => TemplateValues.Compare(Lower(a), Lower(b)));
        var sorted = TemplateValues.Items(value).OrderBy(item => attribute is null ? item : TemplateMembers.Item(item, attribute), order).ToList();
        if (TemplateValues.IsTrue(arguments.Count > 0 ? arguments[0] : named.GetValueOrDefault("reverse")))
            sorted.Reverse();
        return sorted;

        // Jinja sorts without regard to case.
        static object? Lower(object? item) => item is string text ? text.ToLowerInvariant() : item;
    }

    private static List<object?> Unique(IReadOnlyList<object?> items)
    {
        var kept = new List<object?>();
        foreach (var item in items)
        {
            if (!kept.Any(known => TemplateValues.AreEqual(known, item)))
                kept.Add(item);
        }
        return kept;
    }

    private static List<object?> Pairs(object? value, string name) => value is TemplateMap map
        ? map.Select(pair => (object?)new List<object?> { pair.Key, pair.Value }).ToList()
        : throw new TemplateException($"'{name}' needs a mapping, not {TemplateValues.Kind(value)}");

    private static List<object?> Where(object? value, Func<object?, bool> condition) => (TemplateValues.IsTrue(value) ? TemplateValues.Items(value) : []).Where(condition).ToList();

    private static object? Attribute(object? item, IReadOnlyList<object?> arguments) => TemplateMembers.Item(item, TemplateMembers.Argument(arguments, 0, "selectattr"));

    /// <summary>The test named by an argument, with those behind it; without one, whether the item counts as true.</summary>
    private static bool Passes(object? item, IReadOnlyList<object?> arguments, int at)
    {
        if (arguments.Count <= at)
            return TemplateValues.IsTrue(item);
        var name = Text(arguments[at]);
        var test = TemplateTests.Find(name == "==" ? "eq" : name == "!=" ? "ne" : name) ?? throw new TemplateException($"the test '{name}' is not known here");
        return test(item, [.. arguments.Skip(at + 1)]);
    }
}

using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Plimsoll.Checkpoints.Templates;

/// <summary>Texts as Python makes them: formatting, splitting, JSON.</summary>
internal static class TemplateStrings
{
    private static readonly JsonStyle Plain = new(", ", ": ");

    /// <summary>Python's <c>%</c> for <c>%s</c>, <c>%d</c>, <c>%r</c>.</summary>
    /// <exception cref="TemplateException">Another conversion, or too few values.</exception>
    public static string Percent(string format, object? value)
    {
        var values = new Queue<object?>(value is List<object?> list ? list : [value]);
        var result = new StringBuilder();
        for (var at = 0; at < format.Length; at++)
        {
            if (format[at] != '%' || at + 1 == format.Length)
            {
                result.Append(format[at]);
                continue;
            }
            var conversion = format[++at];
            if (conversion == '%')
                result.Append('%');
            else if (conversion is 's' or 'd' or 'r' && values.TryDequeue(out var next))
                result.Append(conversion == 'r' ? TemplateValues.Representation(next) : TemplateValues.Text(next));
            else
                throw new TemplateException($"'%{conversion}' in a format, or a value for it, is not known here");
        }
        return result.ToString();
    }

    /// <summary>Python's <c>str.format</c> for <c>{}</c>, <c>{0}</c>, <c>{name}</c>.</summary>
    /// <exception cref="TemplateException">A field asks for more than a value.</exception>
    public static string Format(string format, IReadOnlyList<object?> positional, IReadOnlyDictionary<string, object?> named)
    {
        var (result, next) = (new StringBuilder(), 0);
        for (var at = 0; at < format.Length; at++)
        {
            if (at + 1 < format.Length && format[at] is '{' or '}' && format[at + 1] == format[at])
            {
                result.Append(format[at++]);
            }
            else if (format[at] == '{' && format.IndexOf('}', at) is >= 0 and var end)
            {
                var field = format[(at + 1)..end];
                var index = field.Length == 0 ? next++ : int.TryParse(field, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : -1;
                result.Append(index >= 0 && index < positional.Count ? TemplateValues.Text(positional[index])
                    : named.TryGetValue(field, out var value) ? TemplateValues.Text(value)
                    : throw new TemplateException($"the field '{{{field}}}' of a format is not known here"));
                at = end;
            }
            else
            {
                result.Append(format[at]);
            }
        }
        return result.ToString();
    }

    /// <summary>Python's <c>str.split</c>: by white space without a separator.</summary>
    public static List<object?> Split(string text, object? separator, long limit)
    {
        var count = limit < 0 ? int.MaxValue : (int)Math.Min(limit + 1, int.MaxValue);
        if (separator is string { Length: > 0 } mark)
            return [.. text.Split(mark, count)];
        var parts = new List<object?>();
        for (var rest = text.TrimStart(); rest.Length > 0; rest = rest.TrimStart())
        {
            var end = parts.Count + 1 == count ? -1 : rest.AsSpan().IndexOfAny(" \t\n\r\f\v");
            parts.Add(end < 0 ? rest : rest[..end]);
            rest = end < 0 ? "" : rest[end..];
        }
        return parts;
    }

    /// <summary>Python's <c>json.dumps(ensure_ascii=False)</c>, as Hugging Face defines <c>tojson</c>.</summary>
    /// <param name="indent">Spaces per level; null for one line.</param>
    public static string Json(object? value, int? indent = null, bool sortsKeys = false, (string Item, string Key)? separators = null, bool isAscii = false)
    {
        var settings = separators is { } given ? new(given.Item, given.Key) : indent is null ? Plain : new JsonStyle(",", ": ");
        var result = new StringBuilder();
        WriteJson(result, value, settings with { Indent = indent, SortsKeys = sortsKeys, IsAscii = isAscii }, 0);
        return result.ToString();
    }

    /// <exception cref="TemplateException">The text is not JSON.</exception>
    public static object? ParseJson(string text)
    {
        try
        {
            using var json = JsonDocument.Parse(text);
            return TemplateValues.FromJson(json.RootElement);
        }
        catch (JsonException failure)
        {
            throw new TemplateException($"not JSON: {failure.Message}");
        }
    }

    private sealed record JsonStyle(string ItemSeparator, string KeySeparator)
    {
        public int? Indent { get; init; }

        public bool SortsKeys { get; init; }

        /// <summary>Other characters are written as <c>\u00e9</c>.</summary>
        public bool IsAscii { get; init; }
    }

    private static void WriteJson(StringBuilder result, object? value, JsonStyle settings, int depth)
    {
        switch (value)
        {
            case List<object?> list:
                WriteAll(result, '[', ']', list, item => WriteJson(result, item, settings, depth + 1), settings, depth);
                break;
            case TemplateMap map:
                var pairs = settings.SortsKeys ? map.OrderBy(pair => TemplateValues.Text(pair.Key), StringComparer.Ordinal) : (IEnumerable<KeyValuePair<object, object?>>)map;
                WriteAll(result, '{', '}', [.. pairs], pair =>
                {
                    WriteString(result, TemplateValues.Text(pair.Key), settings.IsAscii);
                    result.Append(settings.KeySeparator);
                    WriteJson(result, pair.Value, settings, depth + 1);
                }, settings, depth);
                break;
            case string text:
                WriteString(result, text, settings.IsAscii);
                break;
            case null:
                result.Append("null");
                break;
            case bool truth:
                result.Append(truth ? "true" : "false");
                break;
            case long or double:
                result.Append(TemplateValues.Text(value));
                break;
            default:
                throw new TemplateException($"{TemplateValues.Kind(value)} cannot be written as JSON");
        }
    }

    private static void WriteAll<T>(StringBuilder result, char open, char close, IReadOnlyList<T> items, Action<T> write, JsonStyle settings, int depth)
    {
        if (depth > 100)
            throw new TemplateException("a value nested more than 100 deep cannot be written as JSON");
        result.Append(open);
        for (var index = 0; index < items.Count; index++)
        {
            if (index > 0)
                result.Append(settings.ItemSeparator);
            NewLine(depth + 1);
            write(items[index]);
        }
        if (items.Count > 0)
            NewLine(depth);
        result.Append(close);

        void NewLine(int level)
        {
            if (settings.Indent is { } indent)
                result.Append('\n').Append(' ', indent * level);
        }
    }

    private static void WriteString(StringBuilder result, string text, bool isAscii)
    {
        result.Append('"');
        foreach (var letter in text)
        {
            result.Append(letter switch
            {
                '"' => "\\\"", '\\' => "\\\\", '\n' => "\\n", '\r' => "\\r", '\t' => "\\t", '\b' => "\\b", '\f' => "\\f",
                < ' ' => string.Create(CultureInfo.InvariantCulture, $"\\u{(int)letter:x4}"),
                > '~' when isAscii => string.Create(CultureInfo.InvariantCulture, $"\\u{(int)letter:x4}"),
                _ => letter.ToString(),
            });
        }
        result.Append('"');
    }
}

using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Plimsoll.Planning.Launch;

/// <summary>Writes block-style YAML: mappings, lists and scalars, quoted where a plain scalar would mean something else.</summary>
/// <remarks>Source: YAML 1.2.2, sections 5.7 (escapes) and 7.3 (scalars).</remarks>
internal sealed partial class YamlText
{
    private readonly StringBuilder text = new();
    private int depth;

    /// <summary>The next line continues a list item, so its indent is already there.</summary>
    private bool afterDash;

    public override string ToString() => text.ToString();

    public YamlText Comment(string line)
    {
        Indent().Append("# ").Append(line).Append('\n');
        return this;
    }

    public YamlText Value(string key, string value) => Line(key, Scalar(value));

    public YamlText Value(string key, bool value) => Line(key, value ? "true" : "false");

    public YamlText Value(string key, long value) => Line(key, value.ToString(CultureInfo.InvariantCulture));

    public YamlText Value(string key, double value) => Line(key, value.ToString("0.0###########", CultureInfo.InvariantCulture));

    public YamlText Map(string key, Action<YamlText> content)
    {
        Indent().Append(Scalar(key)).Append(":\n");
        return Nested(content);
    }

    public YamlText EmptyMap(string key) => Line(key, "{}");

    /// <summary>A list of scalars.</summary>
    public YamlText List(string key, IEnumerable<string> items) => Map(key, list =>
    {
        foreach (var item in items)
            list.Indent().Append("- ").Append(Scalar(item)).Append('\n');
    });

    /// <summary>A list of mappings.</summary>
    public YamlText Items(string key, params Action<YamlText>[] items) => Map(key, list =>
    {
        foreach (var item in items)
        {
            list.Indent().Append("- ");
            list.afterDash = true;
            list.Nested(item);
        }
    });

    /// <summary>The next document of the same file.</summary>
    public YamlText NextDocument()
    {
        text.Append("---\n");
        return this;
    }

    /// <summary>A string as a scalar: plain where that is unmistakable, else in double quotes.</summary>
    internal static string Scalar(string value)
    {
        if (Plain.IsMatch(value) && !Reserved.IsMatch(value))
            return value;
        var quoted = new StringBuilder("\"");
        foreach (var character in value)
        {
            // Controls, and the line breaks that only YAML knows (NEL, LS, PS), must not stand as they are.
            if (character is '"' or '\\')
                quoted.Append('\\').Append(character);
            else if (char.IsControl(character) || character is '\u2028' or '\u2029' or '\ufeff')
                quoted.Append(CultureInfo.InvariantCulture, $"\\u{(int)character:x4}");
            else
                quoted.Append(character);
        }
        return quoted.Append('"').ToString();
    }

    private YamlText Line(string key, string scalar)
    {
        Indent().Append(Scalar(key)).Append(": ").Append(scalar).Append('\n');
        return this;
    }

    private YamlText Nested(Action<YamlText> content)
    {
        depth++;
        content(this);
        depth--;
        return this;
    }

    private StringBuilder Indent()
    {
        if (!afterDash)
            return text.Append(' ', 2 * depth);
        afterDash = false;
        return text;
    }

    /// <summary>Starts with a letter, or with a path or variable sign that YAML gives no meaning; a colon or hash only inside a word.</summary>
    [GeneratedRegex(@"^[A-Za-z_./$][A-Za-z0-9_./@+=$-]*(:[A-Za-z0-9_./@+=$-]+)*$", RegexOptions.CultureInvariant)]
    private static partial Regex Plain { get; }

    /// <summary>Words that some YAML reader takes for a boolean, null or a number (YAML 1.1 types bool, null, float; PyYAML).</summary>
    [GeneratedRegex(@"^(y|n|yes|no|on|off|true|false|null|~|[.+-]*(inf|nan)|\.[0-9_.]*([e][+-]?[0-9]+)?|=|<<)$", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Reserved { get; }
}

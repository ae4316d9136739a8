namespace Plimsoll.Checkpoints.Templates;

/// <summary>Python's arithmetic and comparisons, as far as templates use them.</summary>
internal static class TemplateOperators
{
    public static bool Compare(string name, object? left, object? right) => name switch
    {
        "==" => TemplateValues.AreEqual(left, right),
        "!=" => !TemplateValues.AreEqual(left, right),
        "in" => Contains(right, left),
        "not in" => !Contains(right, left),
        "<" => TemplateValues.Compare(left, right) < 0,
        "<=" => TemplateValues.Compare(left, right) <= 0,
        ">" => TemplateValues.Compare(left, right) > 0,
        _ => TemplateValues.Compare(left, right) >= 0,
    };

    /// <exception cref="TemplateException">The operator does not go with these values.</exception>
    public static object? Calculate(string name, object? left, object? right) => (name, left, right) switch
    {
        ("+", string a, string b) => a + b,
        ("+", List<object?> a, List<object?> b) => (List<object?>)[.. a, .. b],
        ("*", string text, long count) => Repeat(text, count),
        ("*", long count, string text) => Repeat(text, count),
        ("%", string format, _) => TemplateStrings.Percent(format, right),
        (_, bool truth, _) => Calculate(name, truth ? 1L : 0L, right),
        (_, _, bool truth) => Calculate(name, left, truth ? 1L : 0L),
        (_, long a, long b) => Integers(name, a, b),
        (_, long or double, long or double) => Floats(name, TemplateValues.Number(left), TemplateValues.Number(right)),
        _ => throw new TemplateException($"'{name}' does not go with {TemplateValues.Kind(left)} and {TemplateValues.Kind(right)}"),
    };

    private static object Integers(string name, long a, long b)
    {
        if (name is "//" or "%" && b == 0)
            throw new TemplateException("division by zero");
        try
        {
            return name switch
            {
                "+" => checked(a + b),
                "-" => checked(a - b),
                "*" => checked(a * b),
                "//" => checked(a / b) - (a % b != 0 && (a ^ b) < 0 ? 1 : 0),
                "%" => (a % b + b) % b,
                "**" when b is >= 0 and < 64 => Power(a, b),
                _ => Floats(name, a, b),
            };
        }
        catch (OverflowException)
        {
            throw new TemplateException($"{a} {name} {b} is beyond 64 bits");
        }
    }

    private static long Power(long a, long b)
    {
        var result = 1L;
        for (; b > 0; b--)
            result = checked(result * a);
        return result;
    }

    private static object Floats(string name, double a, double b)
    {
        if (name is "/" or "//" or "%" && b == 0)
            throw new TemplateException("division by zero");
        return name switch
        {
            "+" => a + b,
            "-" => a - b,
            "*" => a * b,
            "/" => a / b,
            "//" => Math.Floor(a / b),
            "%" => a - b * Math.Floor(a / b),
            _ => Math.Pow(a, b),
        };
    }

    private static string Repeat(string text, long count) => count * text.Length <= 1 << 20
        ? string.Concat(Enumerable.Repeat(text, (int)Math.Max(0, count)))
        : throw new TemplateException($"a string {count} times is too long");

    private static bool Contains(object? container, object? item) => container switch
    {
        string text => item is string part ? text.Contains(part, StringComparison.Ordinal) : throw new TemplateException($"{TemplateValues.Kind(item)} cannot be in a string"),
        List<object?> list => list.Any(element => TemplateValues.AreEqual(element, item)),
        TemplateMap map => map.TryGet(item, out _),
        Undefined => false,
        _ => throw new TemplateException($"{TemplateValues.Kind(container)} has no elements to look through"),
    };
}

using System.Globalization;
using System.Text;

namespace Plimsoll.Checkpoints.Templates;

/// <summary>The functions that every chat template may call.</summary>
internal static class TemplateGlobals
{
    private const int LongestRange = 1 << 20;

    public static void AddTo(TemplateScope scope)
    {
        scope.Set("raise_exception", (TemplateFunction)((arguments, _) => throw new TemplateRefusalException(TemplateValues.Text(TemplateMembers.Argument(arguments, 0, "raise_exception")))));
        scope.Set("strftime_now", (TemplateFunction)((arguments, _) => Date(TemplateValues.Text(TemplateMembers.Argument(arguments, 0, "strftime_now")), scope.Run.Time.GetLocalNow())));
        scope.Set("range", (TemplateFunction)((arguments, _) => Range(arguments)));
        scope.Set("namespace", (TemplateFunction)((arguments, named) => Map(arguments, named, isNamespace: true)));
        scope.Set("dict", (TemplateFunction)((arguments, named) => Map(arguments, named, isNamespace: false)));
    }

    private static List<object?> Range(IReadOnlyList<object?> arguments)
    {
        var numbers = arguments.Select(value => value is long number ? number : throw new TemplateException($"'range' needs whole numbers, not {TemplateValues.Kind(value)}")).ToList();
        var (from, to, step) = numbers switch
        {
            [var end] => (0L, end, 1L),
            [var start, var end] => (start, end, 1L),
            [var start, var end, not 0] => (start, end, numbers[2]),
            _ => throw new TemplateException("'range' needs one to three numbers, and a step other than 0"),
        };
        if (Math.Abs((to - (double)from) / step) > LongestRange)
            throw new TemplateException($"a range of more than {LongestRange:N0} numbers");
        var range = new List<object?>();
        for (var number = from; step > 0 ? number < to : number > to; number += step)
            range.Add(number);
        return range;
    }

    private static TemplateMap Map(IReadOnlyList<object?> arguments, IReadOnlyDictionary<string, object?> named, bool isNamespace)
    {
        var map = new TemplateMap(isNamespace);
        foreach (var (key, value) in arguments is [TemplateMap other, ..] ? other : [])
            map[key] = value;
        foreach (var (key, value) in named)
            map[key] = value;
        return map;
    }

    /// <summary>The conversions of C's <c>strftime</c> that templates use, in English.</summary>
    private static string Date(string format, DateTimeOffset now)
    {
        var result = new StringBuilder();
        for (var at = 0; at < format.Length; at++)
        {
            if (format[at] != '%' || at + 1 == format.Length)
            {
                result.Append(format[at]);
                continue;
            }
            var isUnpadded = format[at + 1] == '-' && at + 2 < format.Length;
            at += isUnpadded ? 2 : 1;
            var text = Conversion(format[at], now);
            result.Append(isUnpadded ? text.TrimStart('0', ' ') is { Length: > 0 } rest ? rest : "0" : text);
        }
        return result.ToString();
    }

    private static string Conversion(char letter, DateTimeOffset now) => letter switch
    {
        '%' => "%",
        'e' => now.Day.ToString(CultureInfo.InvariantCulture).PadLeft(2),
        'j' => now.DayOfYear.ToString("000", CultureInfo.InvariantCulture),
        'F' => now.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        'T' => now.ToString("HH:mm:ss", CultureInfo.InvariantCulture),
        'z' => now.ToString("zzz", CultureInfo.InvariantCulture).Replace(":", "", StringComparison.Ordinal),
        _ => now.ToString(letter switch
        {
            'd' => "dd", 'b' or 'h' => "MMM", 'B' => "MMMM", 'Y' => "yyyy", 'm' => "MM", 'H' => "HH", 'M' => "mm", 'S' => "ss", 'A' => "dddd", 'a' => "ddd", 'y' => "yy", 'I' => "hh", 'p' => "tt",
            _ => throw new TemplateException($"'%{letter}' in a date format is not known here"),
        }, CultureInfo.InvariantCulture),
    };
}

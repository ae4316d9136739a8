namespace Plimsoll.Checkpoints.Templates;

/// <summary>Attributes, elements and methods of values.</summary>
internal static class TemplateMembers
{
    /// <summary><c>value.name</c>: a method, else an element; undefined when there is neither.</summary>
    /// <exception cref="TemplateException">The value itself is undefined.</exception>
    public static object? Attribute(object? owner, string name) => owner switch
    {
        Undefined => throw new TemplateException($"{TemplateValues.Kind(owner)} has no '{name}'"),
        TemplateMap { IsNamespace: false } map when MapMethod(map, name) is { } method => method,
        TemplateMap map => map.TryGet(name, out var value) ? value : new Undefined(name),
        string text => StringMethod(text, name) ?? (object)new Undefined(name),
        List<object?> list when long.TryParse(name, out var index) => Item(list, index),
        List<object?> list => ListMethod(list, name) ?? (object)new Undefined(name),
        _ => new Undefined(name),
    };

    /// <summary><c>value[index]</c>; undefined when there is no such element.</summary>
    /// <exception cref="TemplateException">The value itself is undefined.</exception>
    public static object? Item(object? owner, object? index) => (owner, index) switch
    {
        (Undefined, _) => throw new TemplateException($"{TemplateValues.Kind(owner)} has no elements"),
        (TemplateMap map, _) => map.TryGet(index, out var value) ? value : index is string name ? Attribute(map, name) : new Undefined(TemplateValues.Text(index)),
        (List<object?> list, long number) => Place(number, list.Count) is { } at ? list[at] : new Undefined($"[{number}]"),
        (string text, long number) => Place(number, text.Length) is { } at ? text[at].ToString() : new Undefined($"[{number}]"),
        (_, string name) => Attribute(owner, name),
        _ => new Undefined(TemplateValues.Text(index)),
    };

    /// <summary><c>value[from:to:step]</c> of a list or string.</summary>
    public static object? Slice(object? owner, object? from, object? to, object? step)
    {
        var stride = step is null ? 1 : (long)TemplateValues.Number(step);
        if (stride == 0)
            throw new TemplateException("a slice cannot have a step of 0");
        var length = owner switch { string text => text.Length, List<object?> list => list.Count, _ => throw new TemplateException($"{TemplateValues.Kind(owner)} cannot be sliced") };
        var (low, high) = stride > 0 ? (0L, (long)length) : (-1L, length - 1L);
        var start = Bound(from, stride > 0 ? low : high);
        var end = Bound(to, stride > 0 ? high : low);
        var places = new List<int>();
        for (var at = start; stride > 0 ? at < end : at > end; at += stride)
            places.Add((int)at);
        return owner is string source ? string.Concat(places.Select(at => source[at])) : places.Select(at => ((List<object?>)owner!)[at]).ToList();

        long Bound(object? value, long otherwise)
        {
            if (value is null)
                return otherwise;
            var number = (long)TemplateValues.Number(value);
            return Math.Clamp(number < 0 ? number + length : number, low, high);
        }
    }

    private static int? Place(long index, int count) => (index < 0 ? index + count : index) is var at && at >= 0 && at < count ? (int)at : null;

    private static TemplateFunction? MapMethod(TemplateMap map, string name) => name switch
    {
        "get" => (arguments, _) => map.TryGet(Argument(arguments, 0, name), out var value) ? value : arguments.Count > 1 ? arguments[1] : null,
        "items" => (_, _) => map.Select(pair => (object?)new List<object?> { pair.Key, pair.Value }).ToList(),
        "keys" => (_, _) => map.Keys.ToList(),
        "values" => (_, _) => map.Values.ToList(),
        "copy" => (_, _) => Copy(map),
        "update" => (arguments, named) => Update(map, arguments, named),
        "pop" => (arguments, _) => Pop(map, arguments),
        _ => null,
    };

    private static object? Update(TemplateMap map, IReadOnlyList<object?> arguments, IReadOnlyDictionary<string, object?> named)
    {
        foreach (var (key, value) in arguments is [TemplateMap other, ..] ? other : [])
            map[key] = value;
        foreach (var (key, value) in named)
            map[key] = value;
        return null;
    }

    private static object? Pop(TemplateMap map, IReadOnlyList<object?> arguments)
    {
        var key = Argument(arguments, 0, "pop");
        if (!map.TryGet(key, out var value))
            return arguments.Count > 1 ? arguments[1] : throw new TemplateException($"there is no '{TemplateValues.Text(key)}' to pop");
        map.Remove(key!);
        return value;
    }

    private static TemplateMap Copy(TemplateMap map)
    {
        var copy = new TemplateMap();
        foreach (var (key, value) in map)
            copy[key] = value;
        return copy;
    }

    private static TemplateFunction? ListMethod(List<object?> list, string name) => name switch
    {
        "append" => (arguments, _) => Do(() => list.Add(Argument(arguments, 0, name))),
        "extend" => (arguments, _) => Do(() => list.AddRange(TemplateValues.Items(Argument(arguments, 0, name)))),
        "insert" => (arguments, _) => Do(() => list.Insert((int)Math.Clamp(TemplateValues.Number(Argument(arguments, 0, name)), 0, list.Count), Argument(arguments, 1, name))),
        "pop" => (arguments, _) => PopAt(list, arguments is [long at, ..] ? at : -1),
        "index" => (arguments, _) => (long)list.FindIndex(item => TemplateValues.AreEqual(item, arguments[0])),
        "count" => (arguments, _) => (long)list.Count(item => TemplateValues.AreEqual(item, arguments[0])),
        _ => null,
    };

    private static object? Do(Action action)
    {
        action();
        return null;
    }

    private static object? PopAt(List<object?> list, long index)
    {
        var at = Place(index, list.Count) ?? throw new TemplateException($"a list of {list.Count} has no element {index} to pop");
        var value = list[at];
        list.RemoveAt(at);
        return value;
    }

    private static TemplateFunction? StringMethod(string text, string name) => name switch
    {
        "strip" => (arguments, _) => Strip(text, arguments, true, true),
        "lstrip" => (arguments, _) => Strip(text, arguments, true, false),
        "rstrip" => (arguments, _) => Strip(text, arguments, false, true),
        "split" => (arguments, named) => TemplateStrings.Split(text, arguments.Count > 0 ? arguments[0] : named.GetValueOrDefault("sep"), arguments.Count > 1 ? (long)TemplateValues.Number(arguments[1]) : named.TryGetValue("maxsplit", out var most) ? (long)TemplateValues.Number(most) : -1),
        "splitlines" => (_, _) => text.Length == 0 ? [] : (text.EndsWith('\n') ? text[..^1] : text).ReplaceLineEndings("\n").Split('\n').Cast<object?>().ToList(),
        "startswith" => (arguments, _) => Any(arguments, name, part => text.StartsWith(part, StringComparison.Ordinal)),
        "endswith" => (arguments, _) => Any(arguments, name, part => text.EndsWith(part, StringComparison.Ordinal)),
        "replace" => (arguments, _) => Replace(text, TextArgument(arguments, 0, name), TextArgument(arguments, 1, name), arguments.Count > 2 ? (long)TemplateValues.Number(arguments[2]) : -1),
        "find" => (arguments, _) => (long)text.IndexOf(TextArgument(arguments, 0, name), StringComparison.Ordinal),
        "count" => (arguments, _) => TextArgument(arguments, 0, name) is { Length: > 0 } part ? text.Split(part).LongLength - 1 : text.Length + 1L,
        "join" => (arguments, _) => string.Join(text, TemplateValues.Items(Argument(arguments, 0, name)).Select(TemplateValues.Text)),
        "format" => (arguments, named) => TemplateStrings.Format(text, arguments, named),
        "upper" => (_, _) => text.ToUpperInvariant(),
        "lower" => (_, _) => text.ToLowerInvariant(),
        "title" => (_, _) => TemplateFilters.Title(text),
        "capitalize" => (_, _) => TemplateFilters.Capitalize(text),
        "isdigit" => (_, _) => text.Length > 0 && text.All(char.IsDigit),
        "isalpha" => (_, _) => text.Length > 0 && text.All(char.IsLetter),
        "isspace" => (_, _) => text.Length > 0 && text.All(char.IsWhiteSpace),
        "removeprefix" => (arguments, _) => TextArgument(arguments, 0, name) is var part && text.StartsWith(part, StringComparison.Ordinal) ? text[part.Length..] : text,
        "removesuffix" => (arguments, _) => TextArgument(arguments, 0, name) is { Length: > 0 } part && text.EndsWith(part, StringComparison.Ordinal) ? text[..^part.Length] : text,
        _ => null,
    };

    private static string Strip(string text, IReadOnlyList<object?> arguments, bool left, bool right)
    {
        var letters = arguments is [string given, ..] ? given.ToCharArray() : null;
        text = left ? letters is null ? text.TrimStart() : text.TrimStart(letters) : text;
        return right ? letters is null ? text.TrimEnd() : text.TrimEnd(letters) : text;
    }

    private static bool Any(IReadOnlyList<object?> arguments, string name, Func<string, bool> test) =>
        Argument(arguments, 0, name) is List<object?> several ? several.Any(part => test(TemplateValues.Text(part))) : test(TextArgument(arguments, 0, name));

    /// <param name="count">How many, from the left; −1 for all.</param>
    public static string Replace(string text, string old, string with, long count)
    {
        if (count < 0 && old.Length > 0)
            return text.Replace(old, with, StringComparison.Ordinal);
        if (old.Length == 0)
            throw new TemplateException("the empty string cannot be replaced");
        var parts = text.Split(old, (int)Math.Min(count + 1, int.MaxValue));
        return string.Join(with, parts);
    }

    public static object? Argument(IReadOnlyList<object?> arguments, int index, string name) =>
        index < arguments.Count ? arguments[index] : throw new TemplateException($"'{name}' needs {index + 1} values and has {arguments.Count}");

    private static string TextArgument(IReadOnlyList<object?> arguments, int index, string name) =>
        Argument(arguments, index, name) as string ?? throw new TemplateException($"'{name}' needs a string, not {TemplateValues.Kind(arguments[index])}");
}

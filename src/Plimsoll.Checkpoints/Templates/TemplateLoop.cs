namespace Plimsoll.Checkpoints.Templates;

/// <summary>What loops, assignments and macros do when a template runs.</summary>
internal static class TemplateLoop
{
    /// <param name="names">One, or several that take each element apart.</param>
    /// <param name="condition">Which elements count; null for all.</param>
    /// <param name="otherwise">Runs when there are none.</param>
    public static Flow Run(TemplateScope scope, List<string> names, IReadOnlyList<object?> items, Expression? condition, Statement body, Statement? otherwise)
    {
        var kept = condition is null ? items : [.. items.Where(item => TemplateValues.IsTrue(condition(With(scope, names, item))))];
        if (kept.Count == 0)
            return otherwise?.Invoke(scope) ?? Flow.Next;
        for (var index = 0; index < kept.Count; index++)
        {
            scope.Run.Step();
            var inner = With(scope, names, kept[index]);
            inner.Set("loop", Facts(kept, index));
            if (body(inner) == Flow.Break)
                break;
        }
        return Flow.Next;
    }

    /// <exception cref="TemplateException">There are fewer or more values than names.</exception>
    public static void Assign(TemplateScope scope, List<string> names, object? value)
    {
        if (names is [var single])
        {
            scope.Set(single, value);
            return;
        }
        var values = TemplateValues.Items(value);
        if (values.Count != names.Count)
            throw new TemplateException($"{values.Count} values for the {names.Count} names {string.Join(", ", names)}");
        foreach (var (name, part) in names.Zip(values))
            scope.Set(name, part);
    }

    /// <summary>A function whose value is what its body writes.</summary>
    public static TemplateFunction Macro(string name, TemplateScope scope, List<(string Name, Expression? Default)> parameters, Statement body) => (arguments, named) =>
    {
        if (arguments.Count > parameters.Count)
            throw new TemplateException($"the macro '{name}' takes {parameters.Count} values, not {arguments.Count}");
        if (named.Keys.FirstOrDefault(key => key != "caller" && parameters.All(parameter => parameter.Name != key)) is { } unknown)
            throw new TemplateException($"the macro '{name}' has no '{unknown}'");
        var inner = new TemplateScope(scope, scope.Run);
        if (named.TryGetValue("caller", out var caller))
            inner.Set("caller", caller);
        for (var index = 0; index < parameters.Count; index++)
        {
            var (parameter, value) = parameters[index];
            inner.Set(parameter, index < arguments.Count ? arguments[index] : named.TryGetValue(parameter, out var given) ? given : value?.Invoke(inner) ?? (value is null ? new Undefined(parameter) : null));
        }
        return scope.Run.Capture(() => body(inner));
    };

    private static TemplateScope With(TemplateScope scope, List<string> names, object? item)
    {
        var inner = new TemplateScope(scope, scope.Run);
        Assign(inner, names, item);
        return inner;
    }

    private static TemplateMap Facts(IReadOnlyList<object?> items, int index) => new()
    {
        ["index"] = index + 1L,
        ["index0"] = (long)index,
        ["revindex"] = (long)items.Count - index,
        ["revindex0"] = items.Count - index - 1L,
        ["first"] = index == 0,
        ["last"] = index == items.Count - 1,
        ["length"] = (long)items.Count,
        ["previtem"] = index > 0 ? items[index - 1] : new Undefined("loop.previtem"),
        ["nextitem"] = index + 1 < items.Count ? items[index + 1] : new Undefined("loop.nextitem"),
        ["cycle"] = (TemplateFunction)((values, _) => values.Count > 0 ? values[index % values.Count] : throw new TemplateException("cycle needs values")),
    };
}

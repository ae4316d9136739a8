namespace Plimsoll.Checkpoints.Templates;

/// <summary>What stands behind <c>is</c>.</summary>
internal static class TemplateTests
{
    /// <returns>Null for a test that we do not know.</returns>
    public static Func<object?, IReadOnlyList<object?>, bool>? Find(string name) => name switch
    {
        "defined" => (value, _) => value is not Undefined,
        "undefined" => (value, _) => value is Undefined,
        "none" => (value, _) => value is null,
        "string" => (value, _) => value is string,
        "number" => (value, _) => value is long or double or bool,
        "integer" => (value, _) => value is long,
        "float" => (value, _) => value is double,
        "boolean" => (value, _) => value is bool,
        "true" => (value, _) => value is true,
        "false" => (value, _) => value is false,
        "mapping" => (value, _) => value is TemplateMap,
        "iterable" or "sequence" => (value, _) => value is string or List<object?> or TemplateMap or Undefined,
        "callable" => (value, _) => value is TemplateFunction,
        "odd" => (value, _) => value is long number && number % 2 != 0,
        "even" => (value, _) => value is long number && number % 2 == 0,
        "divisibleby" => (value, arguments) => value is long number && arguments is [long and not 0, ..] && number % (long)arguments[0]! == 0,
        "lower" => (value, _) => value is string text && text == text.ToLowerInvariant() && text != text.ToUpperInvariant(),
        "upper" => (value, _) => value is string text && text == text.ToUpperInvariant() && text != text.ToLowerInvariant(),
        "in" => (value, arguments) => TemplateOperators.Compare("in", value, TemplateMembers.Argument(arguments, 0, "in")),
        "eq" or "equalto" or "sameas" => Comparing("=="),
        "ne" => Comparing("!="),
        "lt" or "lessthan" => Comparing("<"),
        "le" => Comparing("<="),
        "gt" or "greaterthan" => Comparing(">"),
        "ge" => Comparing(">="),
        _ => null,
    };

    private static Func<object?, IReadOnlyList<object?>, bool> Comparing(string name) =>
        (value, arguments) => TemplateOperators.Compare(name, value, TemplateMembers.Argument(arguments, 0, name));
}

using System.Globalization;

namespace Plimsoll.Checkpoints.Templates;

/// <summary>A part of a template that has a value.</summary>
internal delegate object? Expression(TemplateScope scope);

/// <summary>Reads expressions of Jinja into functions, with Jinja's precedence: conditional, or, and, not, comparison, <c>~</c>, sum, product, sign, power, then filters and tests.</summary>
internal sealed class ExpressionParser(TemplateReader reader)
{
    private static readonly string[] Comparisons = ["==", "!=", "<=", ">=", "<", ">"];

    /// <summary>An expression, or several with commas between, which are a tuple.</summary>
    /// <exception cref="TemplateException">There is none.</exception>
    public Expression ReadTuple()
    {
        var first = Read();
        if (!reader.IsOperator(","))
            return first;
        List<Expression> items = [first];
        while (reader.TryOperator(",") && !IsEnd())
            items.Add(Read());
        return ListOf(items);
    }

    /// <exception cref="TemplateException">There is none.</exception>
    public Expression Read()
    {
        var value = ReadOr();
        if (!reader.TryName("if"))
            return value;
        var condition = ReadOr();
        var otherwise = reader.TryName("else") ? Read() : _ => new Undefined("the value of a condition without else");
        return scope => TemplateValues.IsTrue(condition(scope)) ? value(scope) : otherwise(scope);
    }

    /// <summary>Without a condition: what a loop goes through, so that an <c>if</c> behind it filters.</summary>
    public Expression ReadOr()
    {
        var left = ReadAnd();
        while (reader.TryName("or"))
        {
            var (first, second) = (left, ReadAnd());
            left = scope => first(scope) is var value && TemplateValues.IsTrue(value) ? value : second(scope);
        }
        return left;
    }

    private bool IsEnd() => reader.Current.Kind is TemplateTokenKind.BlockEnd or TemplateTokenKind.PrintEnd || reader.IsOperator(")") || reader.IsOperator("=");

    private Expression ReadAnd()
    {
        var left = ReadNot();
        while (reader.TryName("and"))
        {
            var (first, second) = (left, ReadNot());
            left = scope => first(scope) is var value && !TemplateValues.IsTrue(value) ? value : second(scope);
        }
        return left;
    }

    private Expression ReadNot()
    {
        if (!reader.TryName("not"))
            return ReadComparison();
        var value = ReadNot();
        return scope => !TemplateValues.IsTrue(value(scope));
    }

    /// <summary>Comparisons chain as in Python: <c>a &lt; b &lt; c</c> is both.</summary>
    private Expression ReadComparison()
    {
        var left = ReadConcatenation();
        Expression? chain = null;
        while (ReadComparisonOperator() is { } name)
        {
            var (first, second, before) = (left, ReadConcatenation(), chain);
            chain = before is null
                ? scope => TemplateOperators.Compare(name, first(scope), second(scope))
                : scope => TemplateValues.IsTrue(before(scope)) && TemplateOperators.Compare(name, first(scope), second(scope));
            left = second;
        }
        return chain ?? left;
    }

    private string? ReadComparisonOperator()
    {
        foreach (var name in Comparisons)
        {
            if (reader.TryOperator(name))
                return name;
        }
        if (reader.TryName("in"))
            return "in";
        if (!reader.IsName("not"))
            return null;
        reader.Next();
        return reader.TryName("in") ? "not in" : throw reader.Unexpected("'in' behind 'not'");
    }

    private Expression ReadConcatenation()
    {
        var left = ReadSum();
        while (reader.TryOperator("~"))
        {
            var (first, second) = (left, ReadSum());
            left = scope => TemplateValues.Text(first(scope)) + TemplateValues.Text(second(scope));
        }
        return left;
    }

    private Expression ReadSum() => ReadBinary(ReadProduct, "+", "-");

    private Expression ReadProduct() => ReadBinary(ReadSign, "*", "/", "//", "%");

    private Expression ReadBinary(Func<Expression> readOperand, params string[] names)
    {
        var left = readOperand();
        while (reader.Current.Kind == TemplateTokenKind.Operator && names.Contains(reader.Current.Text))
        {
            var name = reader.Next().Text;
            var (first, second) = (left, readOperand());
            left = scope => TemplateOperators.Calculate(name, first(scope), second(scope));
        }
        return left;
    }

    private Expression ReadSign()
    {
        if (reader.TryOperator("-"))
        {
            var value = ReadSign();
            return scope => TemplateOperators.Calculate("-", 0L, value(scope));
        }
        if (reader.TryOperator("+"))
            return ReadSign();
        var operand = ReadFiltered();
        if (!reader.TryOperator("**"))
            return operand;
        var power = ReadSign();
        return scope => TemplateOperators.Calculate("**", operand(scope), power(scope));
    }

    private Expression ReadFiltered()
    {
        var value = ReadPostfix(ReadPrimary());
        while (true)
        {
            if (reader.TryOperator("|"))
                value = ReadFilter(value);
            else if (reader.TryName("is"))
                value = ReadTest(value);
            else
                return value;
        }
    }

    /// <summary>The filter whose name comes, on this value.</summary>
    public Expression ReadFilter(Expression value)
    {
        var line = reader.Current.Line;
        var name = reader.ExpectName();
        var arguments = reader.IsOperator("(") ? ReadArguments() : Arguments.None;
        var filter = TemplateFilters.Find(name) ?? throw new TemplateException($"the filter '{name}' is not known here", line);
        return ReadPostfix(scope =>
        {
            var (positional, named) = arguments.Evaluate(scope);
            return filter(value(scope), positional, named);
        });
    }

    private Expression ReadTest(Expression value)
    {
        var isNegated = reader.TryName("not");
        var line = reader.Current.Line;
        var name = reader.ExpectName();
        var arguments = reader.IsOperator("(") ? ReadArguments() : HasArgument() ? new Arguments([ReadPostfix(ReadPrimary())], []) : Arguments.None;
        var test = TemplateTests.Find(name) ?? throw new TemplateException($"the test '{name}' is not known here", line);
        return scope => test(value(scope), arguments.Evaluate(scope).Positional) != isNegated;
    }

    /// <summary>A test may have one argument without brackets: <c>is divisibleby 3</c>.</summary>
    private bool HasArgument() => reader.Current.Kind is TemplateTokenKind.StringLiteral or TemplateTokenKind.Integer or TemplateTokenKind.Float
        || reader.Current.Kind == TemplateTokenKind.Name && reader.Current.Text is not ("else" or "and" or "or" or "is" or "if" or "in" or "not") || reader.IsOperator("[") || reader.IsOperator("{");

    private Expression ReadPostfix(Expression value)
    {
        while (true)
        {
            var owner = value;
            if (reader.TryOperator("."))
            {
                var name = reader.Current.Kind == TemplateTokenKind.Integer ? reader.Next().Text : reader.ExpectName();
                value = scope => TemplateMembers.Attribute(owner(scope), name);
            }
            else if (reader.TryOperator("["))
            {
                value = ReadSubscript(owner);
            }
            else if (reader.IsOperator("("))
            {
                var arguments = ReadArguments();
                value = scope => Call(owner(scope), arguments, scope);
            }
            else
            {
                return value;
            }
        }
    }

    private static object? Call(object? function, Arguments arguments, TemplateScope scope)
    {
        if (function is not TemplateFunction callable)
            throw new TemplateException($"{TemplateValues.Kind(function)} cannot be called");
        scope.Run.Step();
        var (positional, named) = arguments.Evaluate(scope);
        return callable(positional, named);
    }

    private Expression ReadSubscript(Expression owner)
    {
        var parts = new Expression?[3];
        var count = 0;
        for (; count < 3; count++)
        {
            if (!reader.IsOperator(":") && !reader.IsOperator("]"))
                parts[count] = Read();
            if (!reader.TryOperator(":"))
                break;
        }
        reader.Expect("]");
        if (count == 0)
            return parts[0] is { } index ? scope => TemplateMembers.Item(owner(scope), index(scope)) : throw reader.Unexpected("an index");
        return scope => TemplateMembers.Slice(owner(scope), parts[0]?.Invoke(scope), parts[1]?.Invoke(scope), parts[2]?.Invoke(scope));
    }

    /// <summary>What is in the brackets of a call.</summary>
    public Arguments ReadArguments()
    {
        var (positional, named) = (new List<Expression>(), new List<(string, Expression)>());
        reader.Expect("(");
        while (!reader.TryOperator(")"))
        {
            if (reader.Current.Kind == TemplateTokenKind.Name && reader.IsFollowedBy("="))
            {
                var name = reader.ExpectName();
                reader.Expect("=");
                named.Add((name, Read()));
            }
            else
            {
                positional.Add(Read());
            }
            if (!reader.TryOperator(",") && !reader.IsOperator(")"))
                throw reader.Unexpected("',' or ')'");
        }
        return new(positional, named);
    }

    private Expression ReadPrimary()
    {
        var token = reader.Next();
        switch (token.Kind)
        {
            case TemplateTokenKind.StringLiteral:
                var text = token.Text;
                // Neighbouring strings are one, as in Python.
                while (reader.Current.Kind == TemplateTokenKind.StringLiteral)
                    text += reader.Next().Text;
                return _ => text;
            case TemplateTokenKind.Integer:
                object integer = long.Parse(token.Text, CultureInfo.InvariantCulture);
                return _ => integer;
            case TemplateTokenKind.Float:
                object number = double.Parse(token.Text, CultureInfo.InvariantCulture);
                return _ => number;
            case TemplateTokenKind.Name:
                return ReadName(token.Text);
            case TemplateTokenKind.Operator when token.Text == "(":
                return ReadBrackets();
            case TemplateTokenKind.Operator when token.Text == "[":
                return ListOf(ReadItems("]"));
            case TemplateTokenKind.Operator when token.Text == "{":
                return ReadMap();
            default:
                throw new TemplateException($"a value is missing before '{(token.Text.Length > 0 ? token.Text : "the end of the tag")}'", token.Line);
        }
    }

    private static Expression ReadName(string name) => name switch
    {
        "true" or "True" => _ => true,
        "false" or "False" => _ => false,
        "none" or "None" => _ => null,
        _ => scope => scope.Find(name),
    };

    private Expression ReadBrackets()
    {
        if (reader.TryOperator(")"))
            return ListOf([]);
        var value = ReadTuple();
        reader.Expect(")");
        return value;
    }

    private List<Expression> ReadItems(string end)
    {
        var items = new List<Expression>();
        while (!reader.TryOperator(end))
        {
            items.Add(Read());
            if (!reader.TryOperator(",") && !reader.IsOperator(end))
                throw reader.Unexpected($"',' or '{end}'");
        }
        return items;
    }

    private static Expression ListOf(List<Expression> items) => scope => items.Select(item => item(scope)).ToList();

    private Expression ReadMap()
    {
        var pairs = new List<(Expression Key, Expression Value)>();
        while (!reader.TryOperator("}"))
        {
            var key = Read();
            reader.Expect(":");
            pairs.Add((key, Read()));
            if (!reader.TryOperator(",") && !reader.IsOperator("}"))
                throw reader.Unexpected("',' or '}'");
        }
        return scope =>
        {
            var map = new TemplateMap();
            foreach (var (key, value) in pairs)
                map[key(scope) ?? throw new TemplateException("none is no key")] = value(scope);
            return map;
        };
    }
}

/// <summary>The arguments of a call, not yet worked out.</summary>
internal sealed record Arguments(List<Expression> Positional, List<(string Name, Expression Value)> Named)
{
    public static Arguments None { get; } = new([], []);

    public (List<object?> Positional, Dictionary<string, object?> Named) Evaluate(TemplateScope scope)
    {
        var named = new Dictionary<string, object?>(Named.Count);
        foreach (var (name, value) in Named)
            named[name] = value(scope);
        return ([.. Positional.Select(value => value(scope))], named);
    }
}

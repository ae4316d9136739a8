namespace Plimsoll.Checkpoints.Templates;

/// <summary>What follows a statement.</summary>
internal enum Flow
{
    Next,
    Break,
    Continue,
}

/// <summary>A part of a template that writes or does something.</summary>
internal delegate Flow Statement(TemplateScope scope);

/// <summary>Reads the blocks of a template into functions: text, <c>{{ }}</c>, if, for, set, macro, call, filter, break, continue, generation.</summary>
internal sealed class StatementParser
{
    private readonly TemplateReader _reader;
    private readonly ExpressionParser _expressions;

    private StatementParser(TemplateReader reader) => (_reader, _expressions) = (reader, new(reader));

    /// <exception cref="TemplateException">The template is not what we can read; the message names line and word.</exception>
    public static Statement Parse(string template)
    {
        var parser = new StatementParser(new(TemplateLexer.Read(template)));
        return parser.ReadBody(out _);
    }

    /// <summary>Statements up to a block that is none of ours, whose name is taken.</summary>
    /// <param name="end">The name of that block; empty at the end of the template.</param>
    private Statement ReadBody(out string end, params ReadOnlySpan<string> ends)
    {
        var statements = new List<Statement>();
        for (end = ""; _reader.Current.Kind != TemplateTokenKind.End;)
        {
            var token = _reader.Next();
            if (token.Kind == TemplateTokenKind.Text)
            {
                statements.Add(scope => Write(scope, token.Text));
            }
            else if (token.Kind == TemplateTokenKind.PrintBegin)
            {
                var value = _expressions.ReadTuple();
                _reader.Expect(TemplateTokenKind.PrintEnd, "'}}'");
                statements.Add(At(token.Line, scope => Write(scope, TemplateValues.Text(value(scope)))));
            }
            else
            {
                var name = _reader.ExpectName();
                if (ends.Contains(name))
                {
                    end = name;
                    break;
                }
                statements.Add(At(token.Line, ReadBlock(name, token.Line)));
            }
        }
        if (ends.Length > 0 && end.Length == 0)
            throw _reader.Unexpected($"'{string.Join("' or '", ends.ToArray())}'");
        return scope =>
        {
            foreach (var statement in statements)
            {
                if (statement(scope) is not Flow.Next and var flow)
                    return flow;
            }
            return Flow.Next;
        };
    }

    private Statement ReadBlock(string name, int line) => name switch
    {
        "if" => ReadIf(),
        "for" => ReadFor(),
        "set" => ReadSet(),
        "macro" => ReadMacro(),
        "call" => ReadCall(),
        "filter" => ReadFilterBlock(),
        // Marks what the assistant wrote, for training.
        "generation" => ReadPlain("endgeneration"),
        "break" => ReadFlow(Flow.Break),
        "continue" => ReadFlow(Flow.Continue),
        _ => throw new TemplateException($"the block '{name}' is not known here", line),
    };

    private static Flow Write(TemplateScope scope, string text)
    {
        scope.Run.Write(text);
        return Flow.Next;
    }

    /// <summary>Errors that know no line get this one.</summary>
    private static Statement At(int line, Statement statement) => scope =>
    {
        try
        {
            return statement(scope);
        }
        catch (TemplateException failure) when (failure.Line == 0)
        {
            throw new TemplateException(failure.Reason, line);
        }
    };

    private void EndBlock() => _reader.Expect(TemplateTokenKind.BlockEnd, "'%}'");

    private Statement ReadFlow(Flow flow)
    {
        EndBlock();
        return _ => flow;
    }

    private Statement ReadPlain(string end)
    {
        EndBlock();
        var body = ReadBody(out _, end);
        EndBlock();
        return body;
    }

    private Statement ReadIf()
    {
        var condition = _expressions.ReadTuple();
        EndBlock();
        var then = ReadBody(out var end, "elif", "else", "endif");
        var otherwise = end switch { "elif" => ReadIf(), "else" => ReadPlain("endif"), _ => null };
        if (otherwise is null)
            EndBlock();
        return scope => TemplateValues.IsTrue(condition(scope)) ? then(scope) : otherwise?.Invoke(scope) ?? Flow.Next;
    }

    private Statement ReadFor()
    {
        var names = ReadNames();
        if (!_reader.TryName("in"))
            throw _reader.Unexpected("'in'");
        var items = _expressions.ReadOr();
        var condition = _reader.TryName("if") ? _expressions.Read() : null;
        EndBlock();
        var body = ReadBody(out var end, "else", "endfor");
        var otherwise = end == "else" ? ReadPlain("endfor") : null;
        if (otherwise is null)
            EndBlock();
        return scope => TemplateLoop.Run(scope, names, TemplateValues.Items(items(scope)), condition, body, otherwise);
    }

    private List<string> ReadNames()
    {
        var isBracketed = _reader.TryOperator("(");
        List<string> names = [_reader.ExpectName()];
        while (_reader.TryOperator(","))
            names.Add(_reader.ExpectName());
        if (isBracketed)
            _reader.Expect(")");
        return names;
    }

    private Statement ReadSet()
    {
        if (_reader.IsFollowedBy("."))
            return ReadSetAttribute();
        var names = ReadNames();
        if (_reader.TryOperator("="))
        {
            var value = _expressions.ReadTuple();
            EndBlock();
            return scope =>
            {
                TemplateLoop.Assign(scope, names, value(scope));
                return Flow.Next;
            };
        }
        Expression content = Captured;
        while (_reader.TryOperator("|"))
            content = _expressions.ReadFilter(content);
        var body = ReadPlain("endset");
        return scope =>
        {
            scope.Set(names[0], Capture(scope, body, content));
            return Flow.Next;
        };
    }

    /// <summary>What a block wrote, under a name that no template can use.</summary>
    private static object? Captured(TemplateScope scope) => scope.Find("");

    /// <summary>Runs a block apart and passes what it wrote through filters.</summary>
    private static object? Capture(TemplateScope scope, Statement body, Expression filtered)
    {
        var inner = new TemplateScope(scope, scope.Run);
        inner.Set("", scope.Run.Capture(() => body(new(scope, scope.Run))));
        return filtered(inner);
    }

    private Statement ReadSetAttribute()
    {
        var owner = _reader.ExpectName();
        _reader.Expect(".");
        var attribute = _reader.ExpectName();
        _reader.Expect("=");
        var value = _expressions.ReadTuple();
        EndBlock();
        return scope =>
        {
            if (scope.Find(owner) is not TemplateMap { IsNamespace: true } space)
                throw new TemplateException($"only attributes of a namespace can be set, and '{owner}' is none");
            space[attribute] = value(scope);
            return Flow.Next;
        };
    }

    private Statement ReadMacro()
    {
        var name = _reader.ExpectName();
        var parameters = ReadParameters();
        var body = ReadPlain("endmacro");
        return scope =>
        {
            scope.Set(name, TemplateLoop.Macro(name, scope, parameters, body));
            return Flow.Next;
        };
    }

    private List<(string Name, Expression? Default)> ReadParameters()
    {
        var parameters = new List<(string, Expression?)>();
        _reader.Expect("(");
        while (!_reader.TryOperator(")"))
        {
            var name = _reader.ExpectName();
            parameters.Add((name, _reader.TryOperator("=") ? _expressions.Read() : null));
            if (!_reader.TryOperator(",") && !_reader.IsOperator(")"))
                throw _reader.Unexpected("',' or ')'");
        }
        return parameters;
    }

    /// <summary>Calls a macro that takes what is in the block as <c>caller()</c>.</summary>
    private Statement ReadCall()
    {
        var parameters = _reader.IsOperator("(") ? ReadParameters() : [];
        var name = _reader.ExpectName();
        var arguments = _expressions.ReadArguments();
        var body = ReadPlain("endcall");
        return scope =>
        {
            if (scope.Find(name) is not TemplateFunction macro)
                throw new TemplateException($"'{name}' is no macro to call");
            var (positional, named) = arguments.Evaluate(scope);
            named["caller"] = TemplateLoop.Macro("caller", scope, parameters, body);
            return Write(scope, TemplateValues.Text(macro(positional, named)));
        };
    }

    private Statement ReadFilterBlock()
    {
        var content = _expressions.ReadFilter(Captured);
        while (_reader.TryOperator("|"))
            content = _expressions.ReadFilter(content);
        var body = ReadPlain("endfilter");
        return scope => Write(scope, TemplateValues.Text(Capture(scope, body, content)));
    }
}

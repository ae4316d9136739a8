using System.Text;

namespace Plimsoll.Checkpoints.Templates;

/// <summary>Variables that are visible somewhere in a template: its own, then those around it.</summary>
internal sealed class TemplateScope(TemplateScope? parent, TemplateRun run)
{
    private readonly Dictionary<string, object?> _values = new(StringComparer.Ordinal);

    public TemplateRun Run => run;

    public object? Find(string name)
    {
        for (var scope = this; scope is not null; scope = scope.Parent)
        {
            if (scope._values.TryGetValue(name, out var value))
                return value;
        }
        return new Undefined(name);
    }

    public void Set(string name, object? value) => _values[name] = value;

    private TemplateScope? Parent => parent;
}

/// <summary>One rendering: what is written, and how much of what a hostile template could ask for is left.</summary>
internal sealed class TemplateRun(TimeProvider time)
{
    /// <summary>Real conversations have some hundred thousand characters.</summary>
    private const int MaxLength = 64 << 20;

    /// <summary>Passes through loops and calls; the longest real conversations need some thousands.</summary>
    private const int MaxSteps = 10_000_000;

    /// <summary>Macros in macros; real templates go three deep, schemas of tools perhaps twenty.</summary>
    private const int MaxDepth = 200;

    private int _steps;
    private int _depth;

    public TimeProvider Time => time;

    public StringBuilder Output { get; set; } = new();

    /// <exception cref="TemplateException">The template writes without end.</exception>
    public void Write(string text)
    {
        if (Output.Length + text.Length > MaxLength)
            throw new TemplateException($"it writes more than {MaxLength:N0} characters");
        Output.Append(text);
    }

    /// <exception cref="TemplateException">The template goes on without end.</exception>
    public void Step()
    {
        if (++_steps > MaxSteps)
            throw new TemplateException($"it takes more than {MaxSteps:N0} steps");
    }

    /// <summary>What is written while <paramref name="body"/> runs, apart.</summary>
    public string Capture(Action body)
    {
        if (++_depth > MaxDepth)
            throw new TemplateException($"macros call each other more than {MaxDepth} deep");
        var outer = Output;
        Output = new();
        try
        {
            body();
            return Output.ToString();
        }
        finally
        {
            Output = outer;
            _depth--;
        }
    }
}

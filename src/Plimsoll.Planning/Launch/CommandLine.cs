using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Plimsoll.Planning.Launch;

/// <summary>A command with its options, each checked against the tool's table, quoted for a POSIX shell.</summary>
internal sealed partial record CommandLine(LaunchTool Tool, ImmutableArray<string> Program)
{
    private ImmutableArray<(string Name, string? Value)> Options { get; init; } = [];

    /// <summary>The words as a process gets them, without quotes: what a container's <c>command</c> lists.</summary>
    public IEnumerable<string> Words => Program.Concat(Options.SelectMany(option => option.Value is { } value ? new[] { option.Name, value } : [option.Name]));

    [GeneratedRegex(@"^[A-Za-z0-9_./:=,@%+-]+$", RegexOptions.CultureInvariant)]
    private static partial Regex Harmless { get; }

    public CommandLine With(string option, string value) => this with { Options = Options.Add((Tool.Checked(option), value)) };

    public CommandLine With(string option, long value) => With(option, value.ToString(CultureInfo.InvariantCulture));

    public CommandLine With(string option) => this with { Options = Options.Add((Tool.Checked(option), null)) };

    public CommandLine WithIf(bool wanted, string option) => wanted ? With(option) : this;

    /// <summary>One line.</summary>
    public override string ToString() => string.Join(' ', Words.Select(Quote));

    /// <summary>The program on the first line, then one option a line.</summary>
    public string ToScript()
    {
        var lines = Options.Select(option => option.Value is { } value ? $"  {option.Name} {Quote(value)}" : $"  {option.Name}");
        return string.Join(" \\\n", lines.Prepend(string.Join(' ', Program.Select(Quote))));
    }

    /// <summary>Single quotes keep everything; a quote inside ends them, adds itself, and opens them again. <c>"$NAME"</c> stays a variable.</summary>
    private static string Quote(string word) =>
        Harmless.IsMatch(word) || Variable.IsMatch(word) ? word : $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    /// <summary>Variables of the shell in double quotes, as our own scripts write them: <c>"$HOST_1:50052,$HOST_2:50052"</c>.</summary>
    [GeneratedRegex("^\"[$A-Z0-9_:,]+\"$", RegexOptions.CultureInvariant)]
    private static partial Regex Variable { get; }
}

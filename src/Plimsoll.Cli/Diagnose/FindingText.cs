using Plimsoll.Diagnostics;
using Plimsoll.Numerics;
using Spectre.Console;

namespace Plimsoll.Cli.Diagnose;

/// <summary>One finding with its fixes, for people.</summary>
internal static class FindingText
{
    public static void Write(Terminal terminal, Finding finding)
    {
        var color = finding.Severity == Severity.Cause ? "yellow" : "grey";
        terminal.Rich.MarkupLine($"[{color}]{Markup.Escape(finding.Message)}[/] ({Sure(finding)}; {finding.Check})");
        var number = 1;
        foreach (var fix in finding.Fixes)
            terminal.Out.WriteLine($"  {number++}. {Describe(fix)}");
        terminal.Out.WriteLine();
    }

    public static string Describe(Fix fix)
    {
        var saves = fix.SavesBytes is { } bytes ? $" [saves {new ByteSize(bytes)}{(fix.Enough switch { true => ", enough", false => ", not enough alone", _ => "" })}]" : fix.Enough == true ? " [enough]" : "";
        return $"{fix.Action}{saves}; costs: {fix.Cost}";
    }

    private static string Sure(Finding finding) => finding.Certainty switch { Certainty.High => "certain", Certainty.Medium => "likely", _ => "possible" };
}

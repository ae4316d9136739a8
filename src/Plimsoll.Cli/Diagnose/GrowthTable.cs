using System.Globalization;
using Plimsoll.Diagnostics;
using Plimsoll.Diagnostics.Growth;
using Plimsoll.Numerics;
using Spectre.Console;

namespace Plimsoll.Cli.Diagnose;

/// <summary>Memory over time for people: a row per series, then what the verdicts rest on and what to do.</summary>
internal static class GrowthTable
{
    public static void Write(Terminal terminal, GrowthDiagnosis diagnosis)
    {
        terminal.Rich.MarkupLine($"[bold]{Headline(diagnosis.Shape)}[/]");
        var table = new Table().Border(TableBorder.Simple).AddColumn("series").AddColumn("verdict").AddColumn("history");
        foreach (var heading in (string[])["last", "ceiling", "grows by", "ceiling in"])
            table.AddColumn(new TableColumn(heading).RightAligned());
        foreach (var verdict in diagnosis.Verdicts)
        {
            var series = verdict.Series;
            table.AddRow(
                Markup.Escape(series.Name),
                Verdict(verdict),
                string.Create(CultureInfo.InvariantCulture, $"{series.Bytes.Length:N0} samples, {Units.Describe(series.Span, series.Axis)}"),
                ByteSize.FromDouble(series.Bytes[^1]).ToString(),
                series.CeilingBytes is { } ceiling ? new ByteSize(ceiling).ToString() : "unknown",
                verdict.Slope is { } slope ? Units.DescribeRate(slope.Median, series.Axis) : "",
                Forecast(verdict));
        }
        terminal.Rich.Write(table);
        foreach (var finding in diagnosis.Findings)
            FindingText.Write(terminal, finding);
        foreach (var verdict in diagnosis.Verdicts)
            WriteEvidence(terminal, verdict);
    }

    /// <summary>A verdict in a word, with how sure it is.</summary>
    public static string Verdict(GrowthVerdict verdict) =>
        $"[{Color(verdict.Shape)}]{Word(verdict.Shape)}[/]" + (verdict.Certainty switch { Certainty.High => "", Certainty.Medium => " (likely)", _ => " (possible)" });

    public static string Forecast(GrowthVerdict verdict) => verdict.Forecast switch
    {
        null => "",
        { Expected: null } => "not forecast",
        { Expected: 0 } => "now",
        var known => $"{Units.Describe(known.Expected.Value, verdict.Series.Axis)} ({Units.Describe(known.Low!.Value, verdict.Series.Axis)} to {Units.Describe(known.High!.Value, verdict.Series.Axis)})",
    };

    private static void WriteEvidence(Terminal terminal, GrowthVerdict verdict)
    {
        terminal.Rich.MarkupLineInterpolated($"[bold]{verdict.Series.Name}[/]");
        foreach (var line in verdict.Series.Notes.Concat(verdict.Evidence))
            terminal.Out.WriteLine($"  - {line}");
        if (verdict.Forecast is { } forecast)
            terminal.Out.WriteLine($"  - to the ceiling: {forecast.Basis}");
    }

    private static string Headline(GrowthShape shape) => shape switch
    {
        GrowthShape.Leak => "Memory leaks",
        GrowthShape.Growing => "Memory grows",
        GrowthShape.Saturating => "Memory rises and levels off: no leak",
        GrowthShape.Sawtooth => "Memory rises and returns: no leak",
        GrowthShape.Flat => "Memory does not grow",
        _ => "Too little to tell whether memory grows",
    };

    private static string Word(GrowthShape shape) => shape switch { GrowthShape.InsufficientData => "not enough data", _ => shape.ToString().ToLowerInvariant() };

    private static string Color(GrowthShape shape) => shape switch { GrowthShape.Leak => "red", GrowthShape.Growing => "yellow", GrowthShape.InsufficientData => "grey", _ => "green" };
}

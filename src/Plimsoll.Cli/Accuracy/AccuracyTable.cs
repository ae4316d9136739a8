using System.Globalization;
using Plimsoll.Numerics;
using Plimsoll.Planning.Accuracy;
using Spectre.Console;

namespace Plimsoll.Cli.Accuracy;

/// <summary>The error per group, for people.</summary>
internal static class AccuracyTable
{
    public static void Write(Terminal terminal, AccuracyReport report, bool withCases)
    {
        if (withCases)
            WriteCases(terminal, report);
        WriteGroups(terminal, "group", [.. report.Groups, .. report.Kinds]);
        WriteGroups(terminal, "group and quantity", [.. report.Quantities]);
        var reasons = report.Results.Where(result => result.RefusedBecause is not null).GroupBy(result => result.RefusedBecause!).OrderByDescending(reason => reason.Count());
        foreach (var reason in reasons)
            terminal.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"refused {reason.Count()}: {reason.Key}"));
    }

    private static void WriteGroups(Terminal terminal, string title, IReadOnlyList<AccuracyGroup> groups)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumn(new TableColumn(title).NoWrap());
        foreach (var column in AccuracyMarkdown.Columns)
            table.AddColumn(new TableColumn(column).RightAligned());
        foreach (var group in groups)
            table.AddRow([Markup.Escape(group.Group), .. AccuracyMarkdown.Cells(group)]);
        terminal.Rich.Write(table);
    }

    private static void WriteCases(Terminal terminal, AccuracyReport report)
    {
        foreach (var result in report.Results)
        {
            var line = result.RefusedBecause is { } reason
                ? $"{result.Id} {result.Quantity}: refused, {reason}"
                : string.Create(CultureInfo.InvariantCulture, $"{result.Id} {result.Quantity}: measured {Value(result, result.Measured)}, predicted {Value(result, result.Predicted)} ({Value(result, result.Low)} to {Value(result, result.High)}), error {result.Error:+0.00%;-0.00%}{(result.InBounds == false ? ", OUT OF BOUNDS" : "")}");
            terminal.Out.WriteLine(line);
        }
    }

    private static string Value(CaseResult result, double? value) => value is not { } number ? "-"
        : result.IsSize ? new ByteSize((long)number).ToString() : number.ToString("0.##", CultureInfo.InvariantCulture);
}

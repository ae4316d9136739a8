using System.Globalization;
using Plimsoll.Planning.Accuracy;

namespace Plimsoll.Cli.Accuracy;

/// <summary>The page <c>docs/accuracy.md</c>.</summary>
internal static class AccuracyMarkdown
{
    public static readonly string[] Columns = ["cases", "predicted", "figures", "predicted", "median error", "90 % error", "within 10 %", "within bounds"];

    public static string[] Cells(AccuracyGroup group) =>
    [
        Number(group.Cases), Number(group.Predicted), Number(group.Figures), Number(group.FiguresPredicted),
        Percent(group.MedianAbsoluteError), Percent(group.P90AbsoluteError), Percent(group.WithinTenPercent), Percent(group.WithinBounds),
    ];

    public static void Write(TextWriter output, AccuracyReport report)
    {
        output.WriteLine(
            """
            # Accuracy

            The planner against figures that others measured and published. Written by `plimsoll accuracy CASES.jsonl --markdown`; do not edit.

            A case is one published run; it may state several figures (KV cache, compute buffer, weights, total). Errors are fractions of the
            measured value. *Within bounds*: the measured value lies between the plan's lower and upper bound. A case whose settings are unknown
            or unstated is refused with a reason instead of guessed.

            Weights, KV caches and states are computed, not fitted. Some engine constants (resident slack, second heads, allocator reserve, bytes per
            logit in training, all of speed) were fitted on rows of the same publications, so their errors here are in-sample; [speed](formulas/speed.md) gives the errors on
            rows that the fit had not seen.
            """);
        output.WriteLine();
        WriteTable(output, "group", [.. report.Groups, .. report.Kinds]);
        output.WriteLine("## By quantity");
        output.WriteLine();
        WriteTable(output, "group and quantity", [.. report.Quantities]);
        output.WriteLine("## Refused, and why");
        output.WriteLine();
        foreach (var reason in report.Results.Where(result => result.RefusedBecause is not null).GroupBy(result => result.RefusedBecause!).OrderByDescending(reason => reason.Count()).ThenBy(reason => reason.Key, StringComparer.Ordinal))
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"- {reason.Count()}: {reason.Key}"));
    }

    private static void WriteTable(TextWriter output, string title, IReadOnlyList<AccuracyGroup> groups)
    {
        output.WriteLine($"| {title} | {string.Join(" | ", Columns)} |");
        output.WriteLine($"|---|{string.Concat(Columns.Select(_ => "--:|"))}");
        foreach (var group in groups)
            output.WriteLine($"| {group.Group} | {string.Join(" | ", Cells(group))} |");
        output.WriteLine();
    }

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Percent(double? fraction) => fraction is { } value ? value.ToString("0.00 %", CultureInfo.InvariantCulture) : "-";
}

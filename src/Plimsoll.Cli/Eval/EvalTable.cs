using System.Globalization;
using Plimsoll.Evaluation;
using Plimsoll.Numerics;
using Spectre.Console;

namespace Plimsoll.Cli.Eval;

/// <summary>The measurements for a person: a line per model, the base first.</summary>
internal static class EvalTable
{
    private static readonly CultureInfo Culture = CultureInfo.InvariantCulture;

    public static void Write(Terminal terminal, EvalReport report)
    {
        terminal.Rich.Write(Table(report.All, ["size", "bits/weight", "perplexity", "tokens/s"], Quality));
        if (report.Base is not null)
            terminal.Rich.Write(Table(report.Lines, ["KL divergence", "median", "99 %", "max", "same top", "RMS Δp"], line => Divergence(line.Result.Divergence!)));
        terminal.Rich.WriteLine(string.Create(Culture,
            $"{report.Windows:N0} windows of {report.Context:N0} tokens of {Path.GetFileName(report.Text)}, {report.All.First().Result.ScoredTokens:N0} tokens scored; peak memory {new ByteSize(report.PeakBytes)}"));
        if (report.Base is { } reference)
            terminal.Rich.WriteLine($"divergence from {EvalReport.Label(reference)}, in nats");
    }

    private static Table Table(IEnumerable<EvalLine> lines, string[] columns, Func<EvalLine, IEnumerable<string>> cells)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumn(new TableColumn("model"));
        foreach (var column in columns)
            table.AddColumn(new TableColumn(column).RightAligned().NoWrap());
        foreach (var line in lines)
            table.AddRow([.. cells(line).Prepend(EvalReport.Label(line)).Select(text => new Text(text))]);
        return table;
    }

    private static IEnumerable<string> Quality(EvalLine line) =>
    [
        new ByteSize(line.FileBytes).ToString(), line.BitsPerWeight.ToString("0.00", Culture), $"{line.Result.Perplexity.Value.ToString("0.0000", Culture)} ± {line.Result.Perplexity.Error.ToString("0.0000", Culture)}",
        line.TokensPerSecond is { } rate ? rate.ToString(rate < 100 ? "0.0" : "N0", Culture) : "kept",
    ];

    private static IEnumerable<string> Divergence(Divergence divergence) =>
    [
        $"{Nats(divergence.Mean.Value)} ± {Nats(divergence.Mean.Error)}", Nats(divergence.Median), Nats(divergence.Percentile99), Nats(divergence.Max),
        $"{(100 * divergence.SameTop.Value).ToString("0.00", Culture)} %", $"{(100 * divergence.RmsProbabilityChange).ToString("0.00", Culture)} %",
    ];

    /// <summary>Divergences span decades: five decimals, or two digits and a power of ten.</summary>
    private static string Nats(double value) => value.ToString(Math.Abs(value) is 0 or >= 0.001 ? "0.00000" : "0.0e-0", Culture);
}

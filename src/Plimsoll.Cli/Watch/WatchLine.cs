using System.CommandLine;
using Plimsoll.Cli.Diagnose;
using Plimsoll.Diagnostics.Growth;
using Plimsoll.Numerics;
using Spectre.Console;

namespace Plimsoll.Cli.Watch;

/// <summary>The line that shows on stderr what is going on: the worst series as a chart, its size, its verdict. Nothing where nobody watches.</summary>
internal sealed class WatchLine(ParseResult parsed, CliEnvironment environment) : IDisposable
{
    private const string Levels = "▁▂▃▄▅▆▇█";

    private const int ChartWidth = 32;

    private readonly bool isShown = environment.ErrorIsTerminal && !parsed.GetValue(GlobalOptions.Quiet);
    private int shownLength;

    public void Show(GrowthDiagnosis diagnosis)
    {
        if (!isShown || diagnosis.Verdicts.MaxBy(verdict => verdict.Shape) is not { } worst)
            return;
        var line = Describe(worst);
        line = line.Length < environment.Width ? line : line[..(environment.Width - 1)];
        environment.Error.Write("\r" + line.PadRight(shownLength));
        environment.Error.Flush();
        shownLength = line.Length;
    }

    public void Dispose()
    {
        if (shownLength > 0)
            environment.Error.Write($"\r{new string(' ', shownLength)}\r");
        shownLength = 0;
    }

    internal static string Describe(GrowthVerdict verdict)
    {
        var series = verdict.Series;
        var forecast = GrowthTable.Forecast(verdict);
        return $"{series.Name} {Chart([.. series.Bytes])} {ByteSize.FromDouble(series.Bytes[^1])}{(series.CeilingBytes is { } ceiling ? $" of {new ByteSize(ceiling)}" : "")}  "
            + Markup.Remove(GrowthTable.Verdict(verdict)) + (forecast.Length > 0 ? $", ceiling in {forecast}" : "");
    }

    /// <summary>The whole history in a few columns, from its lowest to its highest point.</summary>
    internal static string Chart(IReadOnlyList<double> bytes)
    {
        var (low, high) = (bytes.Min(), bytes.Max());
        var width = Math.Min(ChartWidth, bytes.Count);
        return string.Create(width, (bytes, low, high), static (columns, history) =>
        {
            for (var column = 0; column < columns.Length; column++)
            {
                var value = history.bytes[(int)((long)(column + 1) * history.bytes.Count / columns.Length) - 1];
                columns[column] = Levels[history.high > history.low ? (int)((value - history.low) / (history.high - history.low) * (Levels.Length - 1)) : 0];
            }
        });
    }
}

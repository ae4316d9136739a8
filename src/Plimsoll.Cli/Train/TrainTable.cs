using System.Globalization;
using Plimsoll.Numerics;
using Spectre.Console;

namespace Plimsoll.Cli.Train;

/// <summary>What a run led to, for people.</summary>
internal static class TrainTable
{
    private static readonly CultureInfo Culture = CultureInfo.InvariantCulture;

    public static void Write(Terminal terminal, TrainReport report)
    {
        var finished = report.Finished;
        var validation = finished.ValidationLoss is { } loss ? string.Create(Culture, $"; {loss:0.0000} on {report.Started.ValidationRows} rows that it has not learnt") : "";
        terminal.Out.WriteLine(string.Create(Culture, $"{finished.Output}: {finished.Steps:N0} steps of {report.Job.MicroBatch * report.Job.Accumulation * report.Job.SequenceLength:N0} tokens in {finished.Seconds:0} s, {report.TokensPerSecond:N0} tokens/s"));
        terminal.Out.WriteLine(string.Create(Culture, $"loss {finished.Loss:0.0000}{validation}"));
        terminal.Out.WriteLine();
        var table = new Table().Border(TableBorder.Simple).AddColumn("memory by phase").AddColumn(new TableColumn("planned").RightAligned()).AddColumn(new TableColumn("measured").RightAligned()).AddColumn(new TableColumn("error").RightAligned());
        foreach (var (phase, planned, measured) in report.Phases)
            table.AddRow(phase, new ByteSize(planned.Expected).ToString(), new ByteSize(measured).ToString(), string.Create(Culture, $"{(double)(planned.Expected - measured) / measured:+0 %;-0 %;0 %}"));
        terminal.Rich.Write(table);
    }
}

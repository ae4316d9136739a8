using System.Globalization;
using Plimsoll.Cli.Plan;
using Plimsoll.Numerics;
using Plimsoll.Planning.Fitting;
using Spectre.Console;

namespace Plimsoll.Cli.Fit;

/// <summary>The candidates and the choice, for people.</summary>
internal static class FitTable
{
    private static readonly CultureInfo Culture = CultureInfo.InvariantCulture;

    public static void Write(Terminal terminal, FitReport report)
    {
        var asked = report.Asked;
        terminal.Rich.MarkupLineInterpolated($"[bold]{asked.Model.Id}[/] on {report.Device.ToString()} ({new ByteSize(report.Device.Gpu.UsableMemory.Bytes).ToString()} usable{(report.Device.Count > 1 ? " each" : "")}), {asked.Engine.Name}, at least {asked.Context.ToString("N0", Culture)} tokens x {asked.Batch}");
        var table = new Table().Border(TableBorder.Simple).AddColumn("precision");
        foreach (var column in new[] { "weights", "KV cache", "context", "peak", "expected perplexity" })
            table.AddColumn(new TableColumn(column).RightAligned());
        table.AddColumn("verdict");
        foreach (var candidate in report.Result.Candidates)
        {
            table.AddRow(
                Markup.Escape(candidate.Precision),
                candidate.Request.Weights.Total.ToDecimalString(),
                candidate.Request.KvFormat.ToString(),
                candidate.Request.Context.ToString("N0", Culture),
                new ByteSize(candidate.PeakBytes).ToString(),
                Loss(candidate.Quality),
                candidate == report.Result.Chosen ? "[green]chosen[/]" : candidate.Fits ? "fits" : Markup.Escape(candidate.Reason!));
        }
        terminal.Rich.Write(table);
        WriteChoice(terminal, report);
    }

    private static void WriteChoice(Terminal terminal, FitReport report)
    {
        if (report.Result.Chosen is not { } chosen)
        {
            terminal.Out.WriteLine("Nothing fits. 'plimsoll gpus MODEL' lists the GPUs that hold it.");
            return;
        }
        var request = chosen.Request;
        terminal.Out.WriteLine(string.Create(Culture, $"Take {chosen.Precision} with {request.Context:N0} tokens and a {request.KvFormat} cache: {new ByteSize(chosen.PeakBytes)} of {report.Device.Gpu.UsableMemory}."));
        if (report.Result.OnHost is { } onHost)
            terminal.Out.WriteLine($"  It does not fit whole: {onHost}; expect it to be slow.");
        else if (PlanSpeed.Estimate(request, report.Device).Decode is { } decode)
            terminal.Out.WriteLine(string.Create(Culture, $"  Decode: about {decode.Expected:N0} tokens/s ({decode.Low:N0} to {decode.High:N0})."));
        if (chosen.Quality is { } quality)
            terminal.Out.WriteLine($"  Expected perplexity {Loss(quality)} against 16 bits; {quality.Source}.");
        if (report.Launch is { } launch)
            terminal.Out.WriteLine($"  {launch.Command}");
    }

    private static string Loss(ExpectedQuality? quality) => quality is null ? "-" : quality.PerplexityIncrease.ToString("+0.0 %;-0.0 %;same", Culture);
}

using System.Globalization;
using Plimsoll.Numerics;
using Plimsoll.Planning.Engines;
using Plimsoll.Planning.Fitting;
using Plimsoll.Runtime;
using Spectre.Console;

namespace Plimsoll.Cli.Fit;

/// <summary>Measured candidates for people: what each takes, what it costs in quality, and which one to take.</summary>
internal static class FitMeasuredTable
{
    private const int BarWidth = 24;

    private static readonly CultureInfo Culture = CultureInfo.InvariantCulture;

    public static void Write(Terminal terminal, FitReport report, FitMeasurement measured)
    {
        var asked = report.Asked;
        terminal.Rich.MarkupLineInterpolated($"[bold]{asked.Model.Id}[/] into {new ByteSize(report.BudgetBytes).ToString()}: {measured.Candidates.Length.ToString(Culture)} formats written and run, at least {asked.Context.ToString("N0", Culture)} tokens of context, {asked.Engine.Name}");
        terminal.Rich.MarkupLineInterpolated($"Divergence from the original over {measured.Tokens.ToString("N0", Culture)} predictions on {measured.Text}; its perplexity is {measured.Base.Perplexity.Value.ToString("0.000", Culture)}");
        var table = new Table().Border(TableBorder.Simple);
        table.AddColumn(new TableColumn("format").NoWrap());
        foreach (var column in new[] { "bits", "weights", "memory" })
            table.AddColumn(new TableColumn(column).RightAligned().NoWrap());
        table.AddColumn(new TableColumn("").NoWrap());
        foreach (var column in new[] { "same top", "divergence" })
            table.AddColumn(new TableColumn(column).RightAligned().NoWrap());
        table.AddColumn(new TableColumn("(log scale)").NoWrap());
        foreach (var candidate in measured.Candidates)
            table.AddRow(Row(report, measured, candidate));
        terminal.Rich.Write(table);
        WriteChoice(terminal, report, measured);
    }

    private static string[] Row(FitReport report, FitMeasurement measured, MeasuredCandidate candidate)
    {
        var plan = candidate.Candidate;
        var verdict = candidate == measured.Chosen ? "[green]take it[/]" : plan.Fits ? "fits" : $"{new ByteSize(plan.ShortBytes)} short";
        return
        [
            Markup.Escape(candidate.Name),
            candidate.BitsPerWeight.ToString("0.00", Culture),
            new ByteSize(plan.Request.Weights.Total.Bytes).ToString(),
            new ByteSize(plan.PeakBytes - report.OverheadBytes).ToString(),
            verdict,
            candidate.Result.Divergence!.SameTop.Value.ToString("0.0 %", Culture),
            candidate.Divergence.ToString("0.00000", Culture),
            Bar(measured, candidate),
        ];
    }

    /// <summary>Every cell is the same factor; the best candidate has one, the worst all of them.</summary>
    private static string Bar(FitMeasurement measured, MeasuredCandidate candidate)
    {
        var (low, high) = (measured.Candidates.Min(Log), measured.Candidates.Max(Log));
        var cells = high > low ? 1 + (int)Math.Round((Log(candidate) - low) / (high - low) * (BarWidth - 1)) : 1;
        var color = candidate == measured.Chosen ? "green" : candidate.Candidate.Fits ? "blue" : "grey";
        return $"[{color}]{new string('█', cells)}[/]";

        static double Log(MeasuredCandidate each) => Math.Log(Math.Max(each.Divergence, 1e-7));
    }

    private static void WriteChoice(Terminal terminal, FitReport report, FitMeasurement measured)
    {
        if (measured.Chosen is not { } chosen)
        {
            var least = measured.Candidates.MinBy(candidate => candidate.Candidate.PeakBytes);
            terminal.Out.WriteLine(least is null ? "Nothing fits." : $"Nothing fits: the smallest, {least.Name}, is {new ByteSize(least.Candidate.ShortBytes)} short.");
            return;
        }
        var request = chosen.Candidate.Request;
        terminal.Out.WriteLine(string.Create(Culture, $"Take {chosen.Name}: {chosen.Result.Divergence!.SameTop.Value:0.0 %} of its predictions are those of the original, in {new ByteSize(chosen.Candidate.PeakBytes - report.OverheadBytes)} with {request.Context:N0} tokens of context in {request.KvFormat}."));
        terminal.Out.WriteLine(string.Create(Culture, $"  planned: weights {request.Weights.Total.Bytes:N0} B, cache {KvBytes(chosen.Candidate):N0} B; measured: {chosen.WeightBytes:N0} B and {chosen.CacheBytes:N0} B"));
        if (measured.Sample is { } sample)
            terminal.Out.WriteLine($"  it writes: {sample}");
        if (measured.Output is { } output)
            terminal.Out.WriteLine($"  written to {output}; run it: plimsoll run {output} --prompt \"…\" --context {request.Context}{Batch(request)}");
        else
            terminal.Error.WriteLine($"plimsoll: nothing is kept; -o {(chosen.Candidate.Precision.StartsWith("gguf:", StringComparison.Ordinal) ? "FILE.gguf" : "FOLDER")} writes the chosen one");
        if (report.Launch is { } launch)
            terminal.Out.WriteLine($"  {launch.Command}");
    }

    private static long KvBytes(FitCandidate candidate) =>
        Planning.InferencePlanner.Plan(candidate.Request).Fullest.PeakPhase.Of(Planning.Plans.PlanCategory.KvCache).Expected;

    /// <summary>The option of <c>run</c> with which it takes the planned memory.</summary>
    private static string Batch(InferenceRequest request) =>
        request.LlamaCpp.MicroBatch == SessionOptions.DefaultBatch ? "" : string.Create(Culture, $" --batch {request.LlamaCpp.MicroBatch}");
}

using System.Globalization;
using Plimsoll.Cli.Quantize.Sizing;
using Plimsoll.Numerics;
using Plimsoll.Quantization.Output;
using Plimsoll.Quantization.Running;
using Spectre.Console;

namespace Plimsoll.Cli.Quantize;

/// <summary>What a run did, or is going to take, for people.</summary>
internal static class QuantizeTable
{
    private static readonly CultureInfo Culture = CultureInfo.InvariantCulture;

    public static void Write(Terminal terminal, QuantizeResult result)
    {
        var report = result.Report;
        terminal.Rich.MarkupLineInterpolated($"[bold]{result.Output}[/]: {result.Format}, {Size(report.FileBytes)} in {Count(report.Files.Length, "file")}, {Bits(report.BitsPerWeight)} bits per weight; the source has {Size(result.SourceBytes)}");
        var table = new Table().Border(TableBorder.Simple).AddColumn("type");
        Numbers(table, "tensors", "weights", "size", "bits", "relative error");
        foreach (var line in result.Types)
            table.AddRow(Markup.Escape(line.Type), Number(line.Tensors.Length), Number(line.Weights), Size(line.Bytes), Bits(line.BitsPerWeight), Error(line.RelativeError));
        table.AddRow("all", Number(report.Tensors.Length), Number(report.Weights), Size(report.Tensors.Sum(tensor => tensor.Bytes)), Bits(report.BitsPerWeight), Error(report.RelativeError));
        terminal.Rich.Write(table);
        WriteWorst(terminal, result);
        if (result.Sizing is { } sizing)
            SizingTable.Write(terminal, sizing);
        terminal.Rich.WriteLine(Speed(result));
        terminal.Rich.WriteLine(Memory(report));
        if (report.NonFinite > 0)
            terminal.Rich.WriteLine($"{Count(report.NonFinite, "weight")} that {(report.NonFinite == 1 ? "was" : "were")} NaN or infinite {(report.NonFinite == 1 ? "counts" : "count")} as 0.");
        foreach (var note in result.Notes)
            terminal.Rich.WriteLine($"note: {note}");
    }

    public static void Write(Terminal terminal, QuantizationRequest request, QuantizeTarget target, OutputPlan plan, QuantizationPreview preview)
    {
        var run = preview.Plan;
        terminal.Rich.MarkupLineInterpolated($"[bold]{request.Target}[/]: {target.Format}, {Count(plan.Files.Sum(file => file.Jobs.Length), "tensor")} in {Count(plan.Files.Length, "file")}");
        var table = new Table().Border(TableBorder.Simple).AddColumn("takes").AddColumn(new TableColumn("size").RightAligned().NoWrap()).AddColumn("is");
        table.AddRow("program", Binary(run.ResidentBytes), "resident now, with headers and vocabulary");
        table.AddRow("outputs", Binary(run.OutputBytes), "the largest tensor as it is written; small ones also while the next is encoded");
        table.AddRow("pieces", Binary(run.PieceBytes), $"weights and decoded weights, {Count(run.Threads, "thread")}");
        if (run.CalibrationBytes > 0)
            table.AddRow("calibration", Binary(run.CalibrationBytes), "the weights of one layer, hidden states of the text, products of the inputs");
        table.AddRow("runtime", Binary(run.RuntimeBytes), "code, stacks and small arrays that come while it works");
        table.AddRow("peak memory", Binary(run.PeakBytes), "");
        table.AddRow("disk", Size(run.DiskBytes), $"{Size(preview.FreeDiskBytes)} free");
        if (preview.Expected is { } expected)
            table.AddRow("time", Duration(expected), $"{Count(preview.Weights, "weight")}, from a sample of each type encoded now");
        terminal.Rich.Write(table);
        if (run.DiskBytes > preview.FreeDiskBytes)
            terminal.Rich.WriteLine($"The disk is too small by {Size(run.DiskBytes - preview.FreeDiskBytes)}.");
        foreach (var note in plan.Notes)
            terminal.Rich.WriteLine($"note: {note}");
    }

    private static void WriteWorst(Terminal terminal, QuantizeResult result)
    {
        var worst = result.Worst.ToList();
        if (worst.Count == 0)
            return;
        var table = new Table().Border(TableBorder.Simple).AddColumn("largest errors").AddColumn("type");
        Numbers(table, "relative error", "RMSE");
        foreach (var tensor in worst)
            table.AddRow(Markup.Escape(tensor.Name), Markup.Escape(tensor.Type), Error(tensor.RelativeError), tensor.RootMeanSquareError.ToString("0.00e+0", Culture));
        terminal.Rich.Write(table);
    }

    private static string Speed(QuantizeResult result)
    {
        var report = result.Report;
        var seconds = Math.Max(1e-9, report.Elapsed.TotalSeconds);
        var resumed = report.ResumedTensors > 0 ? $"; {Count(report.ResumedTensors, "tensor")} were there from an earlier run" : "";
        return $"{Duration(report.Elapsed)} with {Count(result.Threads, "thread")}: {Size((long)(result.SourceBytes / seconds))}/s read, {Number((long)(report.Weights / seconds))} weights/s{resumed}";
    }

    private static string Memory(QuantizationReport report) => string.Create(Culture,
        $"memory at most {Binary(report.PeakBytes)}, planned {Binary(report.Plan.PeakBytes)} ({100.0 * (report.Plan.PeakBytes - report.PeakBytes) / report.PeakBytes:+0.0;-0.0;0.0} %)");

    private static void Numbers(Table table, params ReadOnlySpan<string> labels)
    {
        foreach (var label in labels)
            table.AddColumn(new TableColumn(label).RightAligned().NoWrap());
    }

    private static string Duration(TimeSpan time) => time.TotalSeconds < 60
        ? string.Create(Culture, $"{time.TotalSeconds:0.0} s")
        : string.Create(Culture, $"{(int)time.TotalMinutes}:{time.Seconds:00} min");

    private static string Size(long bytes) => new ByteSize(bytes).ToDecimalString();

    private static string Binary(long bytes) => new ByteSize(bytes).ToString();

    private static string Bits(double bits) => bits.ToString("0.00", Culture);

    private static string Error(double error) => error == 0 ? "0" : error.ToString("0.00e+0", Culture);

    private static string Number(long number) => number.ToString("N0", Culture);

    private static string Count(long count, string singular) => $"{Number(count)} {singular}{(count == 1 ? "" : "s")}";
}

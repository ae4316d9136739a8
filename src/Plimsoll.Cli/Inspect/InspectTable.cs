using System.Globalization;
using Plimsoll.Models.Inspection;
using Plimsoll.Numerics;
using Spectre.Console;

namespace Plimsoll.Cli.Inspect;

/// <summary>What a checkpoint is, for a person.</summary>
internal static class InspectTable
{
    private static readonly CultureInfo Culture = CultureInfo.InvariantCulture;

    public static void Write(Terminal terminal, InspectReport report)
    {
        if (report.IsList)
            WriteList(terminal, report);
        else
            WriteOne(terminal, report, report.Inspections[0]);
    }

    private static void WriteOne(Terminal terminal, InspectReport report, CheckpointInspection inspection)
    {
        terminal.Rich.MarkupLineInterpolated($"[bold]{InspectText.Name(inspection)}[/]: {inspection.Kind.Describe()}");
        terminal.Rich.WriteLine();
        var grid = new Grid().AddColumn(new GridColumn().NoWrap().PadRight(2)).AddColumn(new GridColumn().PadRight(0));
        foreach (var (label, text) in InspectText.Facts(inspection))
            grid.AddRow(new Text(label), new Text(text));
        terminal.Rich.Write(grid);
        if (inspection.Types.Length > 0)
            terminal.Rich.Write(Lines("type", inspection.Types));
        if (inspection.Parts.Length > 1)
            terminal.Rich.Write(Lines("part", inspection.Parts));
        if (inspection.Files.Length > 1)
            terminal.Rich.Write(Files(inspection));
        if (report.ShowMetadata)
            WriteMetadata(terminal, inspection);
        if (report.ShowTensors)
            WriteTensors(terminal, inspection);
        WriteFindings(terminal, report, inspection);
    }

    private static Table Lines(string label, IReadOnlyList<StorageLine> lines)
    {
        var total = Math.Max(1, lines.Sum(line => line.Bytes));
        var table = Numbers(new Table().Border(TableBorder.Simple).AddColumn(new TableColumn(label).NoWrap()), "tensors", "parameters", "bytes", "size", "bits/weight", "share");
        foreach (var line in lines)
        {
            table.AddRow(
                new Text(line.Name), new Text(Number(line.Tensors)), new Text(line.Parameters is { } count ? count == 0 ? "-" : Number(count) : "?"), new Text(Number(line.Bytes)),
                new Text(new ByteSize(line.Bytes).ToString()), new Text(Bits(line.BitsPerWeight)), new Text(string.Create(Culture, $"{100.0 * line.Bytes / total:0.0} %")));
        }
        return table;
    }

    private static Table Files(CheckpointInspection inspection)
    {
        const int shown = 12;
        var table = Numbers(new Table().Border(TableBorder.Simple).AddColumn(new TableColumn("file").NoWrap()), "bytes", "size", "tensors");
        foreach (var file in inspection.Files.Take(shown))
            table.AddRow(new Text(Path.GetFileName(file.Path)), new Text(file.Bytes is { } bytes ? Number(bytes) : "?"), new Text(file.Bytes is { } size ? new ByteSize(size).ToString() : "?"), new Text(Number(file.Tensors)));
        if (inspection.Files.Length > shown)
            table.AddRow($"and {inspection.Files.Length - shown} more", "", "", "");
        return table;
    }

    private static void WriteTensors(Terminal terminal, CheckpointInspection inspection)
    {
        if (inspection.Checkpoint is not { } checkpoint)
            return;
        // Spectre.Console measures every cell of a table several times; thousands of rows want columns of known width.
        var hasFiles = checkpoint.Files.Length > 1;
        var rows = checkpoint.Tensors.Select(tensor => (Name: InspectText.OneLine(tensor.Name, 300), Type: tensor.Format.Name, Shape: InspectText.Shape(tensor.Dimensions), Bytes: Number(tensor.Bytes), File: hasFiles ? "  " + Path.GetFileName(tensor.File) : ""))
            .Prepend((Name: "tensor", Type: "type", Shape: "shape", Bytes: "bytes", File: hasFiles ? "  file" : "")).ToList();
        var (name, type, shape, bytes) = (rows.Max(row => row.Name.Length), rows.Max(row => row.Type.Length), rows.Max(row => row.Shape.Length), rows.Max(row => row.Bytes.Length));
        foreach (var row in rows)
            terminal.Out.WriteLine($"{row.Name.PadRight(name)}  {row.Type.PadRight(type)}  {row.Shape.PadRight(shape)}  {row.Bytes.PadLeft(bytes)}{row.File}");
        terminal.Out.WriteLine();
    }

    private static void WriteMetadata(Terminal terminal, CheckpointInspection inspection)
    {
        var pairs = InspectText.Metadata(inspection).ToList();
        if (pairs.Count == 0)
        {
            terminal.Out.WriteLine("No key-values beside the tensors.");
            terminal.Out.WriteLine();
            return;
        }
        var width = pairs.Max(pair => pair.Key.Length);
        terminal.Out.WriteLine($"{"key".PadRight(width)}  value");
        foreach (var (key, value) in pairs)
            terminal.Out.WriteLine($"{key.PadRight(width)}  {value}");
        terminal.Out.WriteLine();
    }

    private static void WriteFindings(Terminal terminal, InspectReport report, CheckpointInspection inspection)
    {
        foreach (var problem in inspection.Problems)
            terminal.Rich.MarkupLine($"{(problem.Severity == ProblemSeverity.Error ? "[red]problem[/]" : "[yellow]warning[/]")} ({problem.Check}): {Markup.Escape(problem.Message)}");
        foreach (var note in inspection.Notes)
            terminal.Rich.WriteLine($"note: {note}");
        if (!report.IsCheck)
            return;
        if (inspection.Checkpoint is null)
        {
            terminal.Rich.WriteLine("There are no tensors to check.");
            return;
        }
        terminal.Rich.WriteLine($"Checked {string.Join(", ", report.Checks.Select(check => check.Name))}: {Found(inspection.Problems.Length)}.");
    }

    private static string Found(int problems) => problems switch { 0 => "no problems found", 1 => "1 problem found", _ => $"{problems} problems found" };

    private static void WriteList(Terminal terminal, InspectReport report)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumn(new TableColumn("checkpoint").NoWrap()).AddColumn("what").AddColumn("precision");
        Numbers(table, "parameters", "bits", "size").AddColumn("findings");
        foreach (var inspection in report.Inspections)
        {
            table.AddRow(
                new Text(Path.GetRelativePath(report.Target, inspection.Path) is "." ? InspectText.Name(inspection) : Path.GetRelativePath(report.Target, inspection.Path)),
                new Text(InspectText.What(inspection)), new Text(inspection.Precision ?? ""),
                new Text(inspection.Parameters is { } count ? Number(count) : ""), new Text(Bits(inspection.BitsPerWeight)), new Text(inspection.Files.IsEmpty ? "" : new ByteSize(InspectText.FileBytes(inspection)).ToString()),
                new Text(InspectText.Findings(inspection)));
        }
        foreach (var failure in report.Failures)
            table.AddRow(new Text(Path.GetRelativePath(report.Target, failure.Path)), new Text("cannot be read"), new Text(""), new Text(""), new Text(""), new Text(""), new Text("see below"));
        terminal.Rich.Write(table);
        var total = report.Inspections.Sum(InspectText.FileBytes);
        terminal.Rich.WriteLine(string.Create(Culture, $"{report.Inspections.Length} checkpoint{(report.Inspections.Length == 1 ? "" : "s")}, {InspectText.Size(total)} in {report.Inspections.Sum(inspection => inspection.Files.Length)} files")
            + (report.Failures.IsEmpty ? "." : $"; {report.Failures.Length} cannot be read."));
        foreach (var inspection in report.Inspections)
        {
            foreach (var problem in inspection.Problems)
                terminal.Rich.WriteLine($"{Path.GetRelativePath(report.Target, inspection.Path)}: {problem.Message}");
            if (report.ShowTensors)
            {
                terminal.Out.WriteLine();
                terminal.Out.WriteLine(inspection.Path);
                WriteTensors(terminal, inspection);
            }
        }
    }

    private static Table Numbers(Table table, params ReadOnlySpan<string> labels)
    {
        foreach (var label in labels)
            table.AddColumn(new TableColumn(label).RightAligned().NoWrap());
        return table;
    }

    private static string Number(long number) => number.ToString("N0", Culture);

    private static string Bits(double? bits) => bits?.ToString("0.0##", Culture) ?? "";
}

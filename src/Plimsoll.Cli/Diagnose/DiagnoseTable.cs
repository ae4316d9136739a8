using Plimsoll.Diagnostics;
using Plimsoll.Diagnostics.OutOfMemory;
using Plimsoll.Numerics;
using Spectre.Console;

namespace Plimsoll.Cli.Diagnose;

/// <summary>The diagnosis for people: where it happened, the books, the causes with their fixes, then what else is worth knowing.</summary>
internal static class DiagnoseTable
{
    public static void Write(Terminal terminal, DiagnoseReport report)
    {
        var diagnosis = report.Diagnosis;
        if (diagnosis.Case is not { } found)
        {
            terminal.Out.WriteLine("No message about running out of memory is in this text.");
            terminal.Error.WriteLine("plimsoll: errors go to standard error: was it saved too (2>&1)?");
            return;
        }
        WriteHead(terminal, diagnosis, found);
        WriteBooks(terminal, found);
        foreach (var finding in diagnosis.Findings.Where(finding => finding.Severity == Severity.Cause))
            FindingText.Write(terminal, finding);
        var notes = diagnosis.Findings.Where(finding => finding.Severity == Severity.Note).ToList();
        if (notes.Count > 0)
            terminal.Rich.MarkupLine("[bold]Also[/]");
        foreach (var note in notes)
            FindingText.Write(terminal, note);
        if (report.Planned is { } planned)
            WritePlan(terminal, planned);
        else if (found.Event is { Kind: MemoryKind.Device, Recovered: false })
            terminal.Error.WriteLine("plimsoll: with --model (and --for, --batch, --context) the fixes are computed in bytes");
    }

    private static void WriteHead(Terminal terminal, OutOfMemoryDiagnosis diagnosis, OutOfMemoryCase found)
    {
        var event_ = found.Event;
        var where = string.Concat(
            event_.Backend is { } backend ? $" ({backend})" : "",
            event_.Device is { } device ? $", device {device}" : "",
            event_.Rank is { } rank ? $", rank {rank}" : "",
            found.Phase == Phase.Unknown ? "" : $", {PhaseReader.Describe(found.Phase)}");
        var title = event_.Kind switch { MemoryKind.Host => "Host memory ran out", MemoryKind.None => "Not out of memory", _ => event_.Recovered ? "A buffer did not fit at first" : "Out of memory" };
        terminal.Rich.MarkupLineInterpolated($"[bold]{title}[/]: {event_.Program}{where}; line {event_.Line} of the log");
        var others = diagnosis.Events.Length - 1;
        if (others > 0)
            terminal.Out.WriteLine($"{others} more such {(others == 1 ? "message" : "messages")} in the log; the first one is diagnosed, later ones usually follow from it.");
        terminal.Out.WriteLine();
    }

    /// <summary>Every byte of the device, as far as the message tells.</summary>
    private static void WriteBooks(Terminal terminal, OutOfMemoryCase found)
    {
        var (ledger, sheet) = (found.Event.Ledger, found.Sheet);
        if (ledger.Total is null && ledger.Allocated is null)
            return;
        var table = new Table().Border(TableBorder.Simple).HideHeaders().AddColumn("").AddColumn(new TableColumn("").RightAligned());
        Row("capacity", ledger.Total);
        Row("own limit (allowed)", ledger.Allowed);
        Row("in tensors", sheet.Live);
        Row("idle in graph pools", ledger.PrivatePools);
        Row("reserved by the allocator, in no tensor", ledger.ReservedUnallocated);
        Row("this process outside the allocator", sheet.OutsideAllocator);
        Row("other processes", sheet.Others);
        Row("in use, of no process that is named", sheet.Hidden);
        Row("free", ledger.Free);
        Row("asked for", ledger.Requested);
        Row(sheet.Shortage is { Bytes: < 0 } ? "missing: nothing, by these numbers; left over" : "missing", sheet.Shortage is { Bytes: < 0 } spare ? new(-spare.Bytes, spare.Rounding) : sheet.Shortage);
        terminal.Rich.Write(table);

        void Row(string name, Amount? amount)
        {
            if (amount is { } known)
                table.AddRow(name, known.ToString());
        }
    }

    private static void WritePlan(Terminal terminal, PlannedRun planned)
    {
        terminal.Rich.MarkupLineInterpolated($"[bold]Planned[/]: {planned.Description}: peak {new ByteSize(planned.Plan.Peak.Expected).ToString()}{(planned.UsableBytes is { } usable ? $" of {new ByteSize(usable)} usable" : "")}");
        foreach (var tensor in planned.Tensors)
            terminal.Out.WriteLine($"  The failed allocation has the size of {tensor}.");
        foreach (var fix in planned.Fixes)
            terminal.Out.WriteLine($"  - {FindingText.Describe(fix)}");
        if (!planned.Combination.IsEmpty)
            terminal.Out.WriteLine($"  Together these fit: {string.Join("; ", planned.Combination)}.");
    }
}

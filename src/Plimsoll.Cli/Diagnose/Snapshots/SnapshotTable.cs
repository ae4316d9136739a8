using System.Collections.Immutable;
using Plimsoll.Diagnostics.Snapshots;
using Plimsoll.Numerics;
using Spectre.Console;

namespace Plimsoll.Cli.Diagnose.Snapshots;

/// <summary>A snapshot for people: per device the moment that matters, who held memory then, and how the allocator's memory is divided.</summary>
internal static class SnapshotTable
{
    private const int ShownHolders = 10;
    private const int ShownPools = 6;
    private const int ShownBlocks = 5;
    private const int ShownCallers = 3;

    /// <param name="changes">Since an earlier snapshot, where one is compared.</param>
    public static void Write(Terminal terminal, SnapshotDiagnosis diagnosis, ImmutableArray<HolderChange>? changes)
    {
        foreach (var finding in diagnosis.Findings)
            FindingText.Write(terminal, finding);
        foreach (var device in diagnosis.Devices)
            WriteDevice(terminal, device);
        if (changes is { } found)
            WriteChanges(terminal, found);
        var settings = diagnosis.Snapshot.Settings.Where(setting => setting.Value.Length > 0).ToList();
        if (settings.Count > 0)
            terminal.Out.WriteLine($"Allocator settings: {string.Join(", ", settings.Select(setting => $"{setting.Name}={setting.Value}"))}");
        if (diagnosis.Devices.IsEmpty)
            terminal.Out.WriteLine("The snapshot holds no memory of any device.");
    }

    private static void WriteChanges(Terminal terminal, ImmutableArray<HolderChange> changes)
    {
        if (changes.IsEmpty)
        {
            terminal.Out.WriteLine("Every line of code holds what it held in the earlier snapshot.");
            return;
        }
        var table = new Table().Border(TableBorder.Simple).Title("since the earlier snapshot").AddColumn(Right("device")).AddColumn(Right("change")).AddColumn(Right("before")).AddColumn(Right("after")).AddColumn(Right("tensors")).AddColumn("by");
        foreach (var change in changes.Take(ShownHolders))
        {
            table.AddRow(
                $"{change.Device}", (change.Change > 0 ? "+" : "") + Size(change.Change), Size(change.BytesBefore), Size(change.BytesAfter), $"{change.CountBefore:N0} to {change.CountAfter:N0}",
                Markup.Escape(change.Site.ToString()));
        }
        if (changes.Skip(ShownHolders).ToList() is { Count: > 0 } rest)
            table.AddRow("", (rest.Sum(change => change.Change) > 0 ? "+" : "") + Size(rest.Sum(change => change.Change)), "", "", "", $"{rest.Count:N0} more");
        terminal.Rich.Write(table);
    }

    private static void WriteDevice(Terminal terminal, DeviceMemory device)
    {
        var moment = device.Moment switch
        {
            Moment.OutOfMemory => $"when memory ran out (event {device.EventIndex + 1:N0} of {device.History.EventCount:N0})",
            Moment.Peak => $"at the peak of its trace (event {device.EventIndex:N0} of {device.History.EventCount:N0})",
            _ => "at the end",
        };
        terminal.Rich.MarkupLineInterpolated($"[bold]Device {device.Device}[/] {moment}: {new ByteSize(device.Live).ToString()} in tensors, {new ByteSize(device.Reserved).ToString()} reserved");
        WriteHolders(terminal, device);
        WriteMemory(terminal, device);
    }

    private static void WriteHolders(Terminal terminal, DeviceMemory device)
    {
        if (device.Holders.IsEmpty)
            return;
        var table = new Table().Border(TableBorder.Simple).AddColumn(Right("held")).AddColumn(Right("tensors")).AddColumn("by").AddColumn("for (by words of the stack)").AddColumn("called from");
        foreach (var holder in device.Holders.Take(ShownHolders))
        {
            table.AddRow(
                new ByteSize(holder.Bytes).ToString(), $"{holder.Count:N0}", Markup.Escape(holder.Site.ToString()), holder.Category.Describe(),
                Markup.Escape(string.Join(" < ", holder.Callers.Skip(1).Take(ShownCallers).Select(caller => $"{CodeSite.FileName(caller.File)}:{caller.Line}"))));
        }
        if (device.Holders.Skip(ShownHolders).ToList() is { Count: > 0 } rest)
            table.AddRow(new ByteSize(rest.Sum(holder => holder.Bytes)).ToString(), $"{rest.Sum(holder => holder.Count):N0}", $"{rest.Count:N0} more", "", "");
        terminal.Rich.Write(table);
        terminal.Out.WriteLine($"By kind: {string.Join(", ", Holders.ByCategory(device.Holders).Select(group => $"{group.Category.Describe()} {new ByteSize(group.Bytes)}"))}");
        terminal.Out.WriteLine($"Largest tensors: {string.Join(", ", device.LargestBlocks.Take(ShownBlocks).Select(block => new ByteSize(block.Requested).ToString()))}");
    }

    private static void WriteMemory(Terminal terminal, DeviceMemory device)
    {
        var table = new Table().Border(TableBorder.Simple).Title("at the end of the snapshot").AddColumn("pool, stream");
        foreach (var name in (string[])["segments", "reserved", "live", "rounding", "releasable", "trapped", "largest free", "fragmented"])
            table.AddColumn(Right(name));
        Row("all", device.AtEnd);
        if (device.Pools.Length > 1)
        {
            foreach (var (pool, stream, memory) in device.Pools.Take(ShownPools))
                Row($"{pool}, {stream:x}", memory);
        }
        terminal.Rich.Write(table);

        void Row(string name, Fragmentation memory) => table.AddRow(
            Markup.Escape(name), $"{memory.Segments:N0}", Size(memory.Reserved), Size(memory.Live), Size(memory.Rounding), Size(memory.Releasable), Size(memory.Trapped), Size(memory.LargestFree), $"{memory.Index:0.00}");
    }

    private static string Size(long bytes) => new ByteSize(bytes).ToString();

    private static TableColumn Right(string name) => new TableColumn(name).RightAligned();
}

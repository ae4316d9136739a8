// How fast logs and memory snapshots are read and diagnosed, and how much memory that takes. One kind per process, because the first run is what a user waits for.
//   dotnet run -c Release --project benchmarks/Plimsoll.Diagnostics.Benchmarks -- snapshot [MB] | log [MB]
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Plimsoll.Diagnostics.Benchmarks;
using Plimsoll.Diagnostics.OutOfMemory;
using Plimsoll.Diagnostics.Snapshots;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
var megabytes = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 100;
switch (args is [var kind, ..] ? kind : "")
{
    case "snapshot": MeasureSnapshot(megabytes * 1_000_000L); return 0;
    case "log": MeasureLog(megabytes * 1_000_000L); return 0;
    default:
        Console.Error.WriteLine("one of snapshot, log; then megabytes");
        return 2;
}

static void MeasureSnapshot(long bytes)
{
    var path = Path.Combine(Path.GetTempPath(), $"plimsoll-snapshot-{Environment.ProcessId}.pickle");
    try
    {
        using (var file = new FileStream(path, FileMode.Create, FileAccess.ReadWrite, FileShare.None, 1 << 20))
            new SyntheticSnapshot(file).Write(bytes);
        var length = new FileInfo(path).Length;
        using var process = Process.GetCurrentProcess();
        var (before, busy) = (process.WorkingSet64, process.TotalProcessorTime);
        var clock = Stopwatch.StartNew();
        var snapshot = SnapshotReader.Read(path);
        var read = clock.Elapsed.TotalSeconds;
        var diagnosis = SnapshotDiagnosis.Of(snapshot);
        var total = clock.Elapsed.TotalSeconds;
        process.Refresh();
        Console.WriteLine($"snapshot of {length / 1e6:0} MB, {snapshot.EventCountOf(0):N0} events, {snapshot.Stacks.Count:N0} stacks: read {read:0.00} s ({length / 1e6 / read:0} MB/s), with diagnosis {total:0.00} s of which processor {(process.TotalProcessorTime - busy).TotalSeconds:0.00} s, "
            + $"process peak {process.PeakWorkingSet64 / 1e6:0} MB = {process.PeakWorkingSet64 / (double)length:0.00} x its size (before reading {before / 1e6:0} MB), {diagnosis.Findings.Length} findings");
    }
    finally
    {
        File.Delete(path);
    }
}

static void MeasureLog(long bytes)
{
    using var process = Process.GetCurrentProcess();
    var busy = process.TotalProcessorTime;
    var clock = Stopwatch.StartNew();
    using var log = new StreamReader(new SyntheticLog(bytes), Encoding.UTF8, detectEncodingFromByteOrderMarks: true, 1 << 17);
    var text = LogText.Read(log);
    var read = clock.Elapsed.TotalSeconds;
    var diagnosis = OutOfMemoryDiagnosis.Of(text);
    var total = clock.Elapsed.TotalSeconds;
    process.Refresh();
    var processor = (process.TotalProcessorTime - busy).TotalSeconds;
    Console.WriteLine($"log of {bytes / 1e6:N0} MB, {diagnosis.Events.Length} events, the first in line {diagnosis.Case?.Event.Line:N0}: read {read:0.00} s ({bytes / 1e6 / read:0} MB/s), with diagnosis {total:0.00} s ({bytes / 1e6 / total:0} MB/s), processor {processor:0.00} s ({bytes / 1e6 / processor:0} MB/s), "
        + $"process peak {process.PeakWorkingSet64 / 1e6:0} MB");
}

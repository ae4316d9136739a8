using System.Collections.Immutable;
using System.Text.RegularExpressions;

namespace Plimsoll.Planning.Calibration;

/// <summary>What torch's allocator reports: <c>torch.cuda.memory_summary()</c>, or lines that people print; and the process table of nvidia-smi.</summary>
internal sealed partial class PyTorchLogReader
{
    private readonly Dictionary<(LogTerm Term, string Place), LoggedSize> peaks = [];
    private readonly Dictionary<string, LoggedSize> processes = [];
    private string device = "0";

    public bool Found => peaks.Count > 0;

    /// <summary>Largest figure per GPU of nvidia-smi's list of processes.</summary>
    public IEnumerable<LoggedSize> Processes => processes.Values;

    [GeneratedRegex(@"PyTorch CUDA memory summary, device ID (?<device>\d{1,4})", RegexOptions.CultureInvariant)]
    private static partial Regex Title { get; }

    [GeneratedRegex(@"^\W*(?<metric>Allocated memory|GPU reserved memory)\s*\|\s*(?<current>\d+) *(?<unit>[KMGT]?i?B)\s*\|\s*(?<peak>\d+) *(?<peakUnit>[KMGT]?i?B)\s*\|", RegexOptions.CultureInvariant)]
    private static partial Regex Row { get; }

    [GeneratedRegex(@"(?<metric>allocated|reserved)(?:[ _]memory)?['""]?\s*(?:\([^)]{0,20}\))?\s*[:=]\s*(?<size>" + LogText.Number + @")\s*(?<unit>[KMGT]i?B)\b", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Line { get; }

    [GeneratedRegex(@"\b(?:rank|device|cuda|gpu)[ :=_]{0,2}(?<device>\d{1,4})\b", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Device { get; }

    /// <summary><c>|    0   N/A  N/A      4242      C   python      15234MiB |</c></summary>
    [GeneratedRegex(@"^\|\s+(?<gpu>\d+)\s.*\s\d+\s+(?:C|C\+G)\s.*\s(?<size>\d+)MiB\s*\|\s*$", RegexOptions.CultureInvariant)]
    private static partial Regex Process { get; }

    public void Add(string line)
    {
        if (Process.Match(line) is { Success: true } process)
        {
            AddProcess(process);
            return;
        }
        if (Title.Match(line) is { Success: true } title)
            device = title.Groups["device"].Value;
        if (Row.Match(line) is { Success: true } row)
        {
            Raise(row.Groups["metric"].Value == "Allocated memory" ? LogTerm.Allocated : LogTerm.Reserved, device, row.Groups["peak"].Value, row.Groups["peakUnit"].Value);
            return;
        }
        foreach (Match match in Line.Matches(line))
        {
            var place = Device.Match(line) is { Success: true } named ? named.Groups["device"].Value : "0";
            Raise(match.Groups["metric"].Value.Equals("allocated", StringComparison.OrdinalIgnoreCase) ? LogTerm.Allocated : LogTerm.Reserved, place, match.Groups["size"].Value, match.Groups["unit"].Value);
        }
    }

    public EngineLog ToLog(string path) => new()
    {
        Path = path,
        Kind = EngineLogKind.PyTorch,
        Sizes = [.. peaks.Values, .. processes.Values],
        Settings = ImmutableDictionary<string, string>.Empty,
    };

    /// <summary>A plan is of the peak: of several figures the largest counts.</summary>
    private void Raise(LogTerm term, string place, string number, string unit)
    {
        // Scripts that divide by 1e9 write GB, those that divide by 2^30 GiB.
        if (LogText.Size(number, unit, binary: false) is not { } size)
            return;
        if (!peaks.TryGetValue((term, place), out var before) || before.Bytes < size.Bytes)
            peaks[(term, place)] = new(term, place, size.Bytes, size.Rounding);
    }

    private void AddProcess(Match match)
    {
        if (LogText.Size(match.Groups["size"].Value, "MiB") is not { } size)
            return;
        var place = match.Groups["gpu"].Value;
        if (!processes.TryGetValue(place, out var before) || before.Bytes < size.Bytes)
            processes[place] = new(LogTerm.Process, place, size.Bytes, size.Rounding);
    }
}

using System.Globalization;

namespace Plimsoll.Cli;

/// <summary>The memory of this machine.</summary>
internal static class HostMemory
{
    private const string LinuxFacts = "/proc/meminfo";

    /// <summary>Bytes that could be claimed without pushing others out: what the kernel estimates, within the limit of a container.</summary>
    public static long Available()
    {
        var limit = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        if (!File.Exists(LinuxFacts))
            return limit;
        var line = File.ReadLines(LinuxFacts).FirstOrDefault(line => line.StartsWith("MemAvailable:", StringComparison.Ordinal));
        var words = line?.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return words is [_, var kibibytes, ..] && long.TryParse(kibibytes, NumberStyles.None, CultureInfo.InvariantCulture, out var size) ? Math.Min(limit, size * 1024) : limit;
    }
}

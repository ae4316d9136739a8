using System.Diagnostics;
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

    /// <summary>All of it, or the limit of the container.</summary>
    public static long Total() => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    /// <summary>What a process holds of it; null when there is no such process, or it has ended.</summary>
    public static long? Resident(int pid)
    {
        try
        {
            using var process = Process.GetProcessById(pid);
            return process.WorkingSet64 is var bytes && bytes > 0 ? bytes : null;
        }
        catch (Exception gone) when (gone is ArgumentException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>Free bytes of the disk that holds, or would hold, a folder; null where the system does not tell.</summary>
    public static long? FreeDisk(string folder)
    {
        for (var existing = Path.GetFullPath(folder); existing is not null; existing = Path.GetDirectoryName(existing))
        {
            if (Directory.Exists(existing))
                return new DriveInfo(existing).AvailableFreeSpace;
        }
        return null;
    }
}

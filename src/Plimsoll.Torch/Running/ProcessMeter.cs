using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.InteropServices;
using Plimsoll.Planning.Training.Jobs;

namespace Plimsoll.Torch.Running;

/// <summary>The resident memory of this process, with its highest in each phase.</summary>
/// <remarks>The kernel keeps the highest itself (<c>VmHWM</c>) and starts anew when 5 is written to <c>clear_refs</c> (proc(5)), so nothing is missed between two looks.</remarks>
internal sealed partial class ProcessMeter
{
    private const string Status = "/proc/self/status";
    private const string Reset = "/proc/self/clear_refs";

    /// <summary><c>M_MMAP_THRESHOLD</c> and <c>M_ARENA_MAX</c> of malloc.h.</summary>
    private const int MapThreshold = -3, ArenaMax = -8;

    private readonly Dictionary<string, long> peaks = [];
    private readonly List<string> order = [];
    private string? phase;

    public ImmutableArray<MeasuredPhase> Phases => [.. order.Select(name => new MeasuredPhase(name, peaks[name]))];

    /// <summary>Ends the phase that runs and begins another; the same name again adds to what it had.</summary>
    public void Begin(string name)
    {
        End();
        phase = name;
        if (!peaks.ContainsKey(name))
            order.Add(name);
    }

    public void End()
    {
        if (phase is not null)
            peaks[phase] = Math.Max(peaks.GetValueOrDefault(phase), Read("VmHWM:"));
        phase = null;
        if (File.Exists(Reset))
            File.WriteAllText(Reset, "5");
    }

    /// <summary>Bytes that the process holds now.</summary>
    public static long Resident => Read("VmRSS:");

    /// <summary>Asks glibc to map every larger block by itself, so that freed tensors leave the process at once: what is resident is then what is used, without holes.</summary>
    /// <remarks>glibc raises its threshold to 32 MiB by itself (mallopt(3)), and keeps what is below it.</remarks>
    public static void ReturnFreedMemory()
    {
        _ = SetAllocator(MapThreshold, 128 * 1024);
        _ = SetAllocator(ArenaMax, 2);
    }

    /// <summary>Bytes that are allocated and not freed, by libtorch and everybody else: glibc counts them.</summary>
    public static long Allocated
    {
        get
        {
            var counts = MallInfo();
            return checked((long)(counts.InBlocks + counts.Mapped));
        }
    }

    private static long Read(string name)
    {
        var line = File.ReadLines(Status).First(line => line.StartsWith(name, StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
    }

    [LibraryImport("libc", EntryPoint = "mallopt")]
    private static partial int SetAllocator(int parameter, int value);

    [LibraryImport("libc", EntryPoint = "mallinfo2")]
    private static partial AllocatorCounts MallInfo();

    /// <summary><c>struct mallinfo2</c> of malloc.h.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct AllocatorCounts
    {
        public nuint Arena, FreeChunks, FastChunks, MappedRegions, Mapped, Unused, FastBytes, InBlocks, FreeBytes, Trimmable;
    }
}

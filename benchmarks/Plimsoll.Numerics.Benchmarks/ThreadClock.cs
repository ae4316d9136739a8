using System.Runtime.InteropServices;

namespace Plimsoll.Numerics.Benchmarks;

/// <summary>Processor time of the calling thread, which other work on the machine does not lengthen.</summary>
internal static partial class ThreadClock
{
    /// <summary>CLOCK_THREAD_CPUTIME_ID of Linux.</summary>
    private const int ThreadCpuTime = 3;

    public static double Seconds()
    {
        if (GetTime(ThreadCpuTime, out var time) != 0)
            throw new InvalidOperationException("the clock of the thread cannot be read");
        return time.Seconds + time.Nanoseconds * 1e-9;
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int GetTime(int clock, out TimeSpec time);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}

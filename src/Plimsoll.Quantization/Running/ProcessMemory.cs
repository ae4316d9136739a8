using System.Diagnostics;

namespace Plimsoll.Quantization.Running;

/// <summary>Physical memory of this process, as the system counts it.</summary>
public static class ProcessMemory
{
    /// <summary>Now.</summary>
    public static long Resident()
    {
        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64;
    }

    /// <summary>At most, since the process began (VmHWM on Linux).</summary>
    public static long Peak()
    {
        using var process = Process.GetCurrentProcess();
        return process.PeakWorkingSet64;
    }
}

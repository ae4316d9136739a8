using System.Collections.Immutable;
using Plimsoll.Numerics;

namespace Plimsoll.Diagnostics.Hardware;

/// <summary>GPUs that share the memory of the host: GB10 and N1X, Jetson, Apple, and AMD's with a small carve-out. Their drivers report nothing, or a number that is none.</summary>
public static class UnifiedMemory
{
    /// <summary>Superchips whose driver reports a few gibibytes, whatever the machine has.</summary>
    private static readonly ImmutableArray<string> Shared = ["GB10", "N1X"];

    /// <summary>A figure below this is not the memory of such a chip, whose smallest machine has 64 GB.</summary>
    private const long LargestFake = 16 * ByteSize.GiB;

    /// <summary>The same GPUs; of those that share the host's memory, the host's figures.</summary>
    /// <param name="available">Bytes of the host that can still be claimed.</param>
    public static GpuInventory Fill(GpuInventory inventory, long total, long available) =>
        inventory with { Gpus = [.. inventory.Gpus.Select(gpu => IsShared(gpu) ? gpu with { IsUnified = true, TotalBytes = total, UsedBytes = Math.Max(0, total - available), FreeBytes = available, ReservedBytes = null } : gpu)] };

    private static bool IsShared(GpuReading gpu) => gpu.IsUnified || gpu.TotalBytes is null || (gpu.TotalBytes < LargestFake && Shared.Any(name => gpu.Name.Contains(name, StringComparison.OrdinalIgnoreCase)));
}

using System.Collections.Immutable;

namespace Plimsoll.Diagnostics.Hardware;

/// <summary>A process that holds memory of a GPU.</summary>
/// <param name="UsedBytes">Null where the driver does not tell: Windows, and unified memory.</param>
public sealed record GpuProcess(int Pid, long? UsedBytes);

/// <summary>A part of a GPU that is divided (MIG). A process sees one of them.</summary>
public sealed record GpuInstance(int Index, string? Uuid, long? TotalBytes, long? UsedBytes, long? FreeBytes);

/// <summary>A GPU at one moment. What a driver does not tell is null, never zero.</summary>
/// <param name="TotalBytes">Null where the driver does not report it, as for unified memory.</param>
/// <param name="ReservedBytes">What the driver keeps: used + free + reserved = total.</param>
/// <param name="ComputeCapability">As <c>9.0</c>.</param>
/// <param name="Mig">Whether it is divided into instances; null where it cannot be.</param>
/// <param name="Ecc">Whether errors are corrected; null where they cannot be.</param>
/// <param name="Processes">Empty also where they cannot be seen, as inside containers.</param>
public sealed record GpuReading(
    int Index, string Name, string? Uuid, long? TotalBytes, long? UsedBytes, long? FreeBytes, long? ReservedBytes, string? ComputeCapability, bool? Mig, bool? Ecc, ImmutableArray<GpuProcess> Processes)
{
    /// <summary>The memory is that of the host: what is free there is free here, and the other way round.</summary>
    public bool IsUnified { get; init; }

    /// <summary>Of a divided GPU, as far as they can be seen.</summary>
    public ImmutableArray<GpuInstance> Instances { get; init; } = [];

    /// <summary>What programs can use at most.</summary>
    public long? UsableBytes => TotalBytes - (ReservedBytes ?? 0);
}

/// <summary>The GPUs of a machine.</summary>
/// <param name="Source">Who told: NVML, nvidia-smi or the kernel; null where nobody could.</param>
/// <param name="Driver">The version of the driver.</param>
/// <param name="Problems">Why a source could not be asked.</param>
public sealed record GpuInventory(string? Source, string? Driver, ImmutableArray<GpuReading> Gpus, ImmutableArray<string> Problems)
{
    /// <summary>A driver or a GPU is there and does not work; <see cref="Problems"/> says why.</summary>
    public bool IsBroken { get; init; }

    public static GpuInventory Missing(params ReadOnlySpan<string> problems) => new(null, null, [], [.. problems]);
}

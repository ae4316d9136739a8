using System.Collections.Immutable;

namespace Plimsoll.Diagnostics.Hardware;

/// <summary>What the checks of a machine look at. Null is not available.</summary>
/// <param name="CpuFeatures">Instruction sets that kernels use, and whether the processor has them.</param>
/// <param name="DiskFreeBytes">Where models are kept.</param>
public sealed record MachineFacts(
    GpuInventory Gpus, int Processors, ImmutableArray<(string Name, bool Available)> CpuFeatures, long? MemoryAvailableBytes, long? MemoryTotalBytes, string HubCache, bool HubCacheExists, long? DiskFreeBytes)
{
    /// <summary>Why the cache cannot be used; null where it can, or does not exist yet.</summary>
    public string? HubCacheProblem { get; init; }

    /// <summary>Null where nobody looked.</summary>
    public TrainerFacts? Trainer { get; init; }
}

/// <summary>The program that trains, which loads libtorch.</summary>
/// <param name="Text">What it says of itself, or why it is not there or does not work.</param>
/// <param name="Fix">How it is installed or mended; null where it works.</param>
public sealed record TrainerFacts(bool IsInstalled, bool Works, string Text, string? Fix);

/// <summary>How a check came out.</summary>
public enum CheckStatus
{
    Ok,

    /// <summary>Something is worse than it could be, or cannot be seen.</summary>
    Warning,

    /// <summary>Something that was found does not work.</summary>
    Failed,
}

/// <summary>One check of a machine.</summary>
/// <param name="Fix">What to do; null where all is well.</param>
/// <param name="Link">Where to read on.</param>
public sealed record MachineCheck(string Check, CheckStatus Status, string Message, string? Fix, string? Link);

/// <summary>All checks, in the order in which they are shown.</summary>
public static class MachineChecks
{
    private static readonly Func<MachineFacts, IEnumerable<MachineCheck>>[] All = [Checks.GpuCheck.Of, Checks.CpuCheck.Of, Checks.MemoryCheck.Of, Checks.DiskCheck.Of, Checks.HubCacheCheck.Of, Checks.TrainerCheck.Of];

    public static ImmutableArray<MachineCheck> Of(MachineFacts facts) => [.. All.SelectMany(check => check(facts))];
}

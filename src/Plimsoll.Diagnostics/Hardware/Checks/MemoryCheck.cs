using Plimsoll.Numerics;

namespace Plimsoll.Diagnostics.Hardware.Checks;

/// <summary>What a model on the processor, or the loading of one, may still claim.</summary>
internal static class MemoryCheck
{
    private const long Little = 4 * ByteSize.GiB;

    public static IEnumerable<MachineCheck> Of(MachineFacts facts)
    {
        yield return facts switch
        {
            { MemoryAvailableBytes: not { } } => new("memory", CheckStatus.Warning, "The memory of the host is not available", null, null),
            { MemoryAvailableBytes: { } free } when free < Little => new("memory", CheckStatus.Warning, Say(free, facts.MemoryTotalBytes), "end other programs, or raise the limit of the container", "https://docs.docker.com/engine/containers/resource_constraints/"),
            { MemoryAvailableBytes: { } free } => new("memory", CheckStatus.Ok, Say(free, facts.MemoryTotalBytes), null, null),
        };
    }

    private static string Say(long free, long? total) => $"{new ByteSize(free)}{(total is { } all ? $" of {new ByteSize(all)}" : "")} of memory can be claimed";
}

using System.Collections.Immutable;

namespace Plimsoll.Diagnostics.OutOfMemory.Checks;

/// <summary>Backends that cannot allocate so much in one piece, whatever is free.</summary>
internal sealed class SingleAllocationCheck : IOutOfMemoryCheck
{
    private const long FourGiB = 4L << 30;

    public ImmutableArray<Rule> Rules =>
        [new("single-allocation-limit", "one buffer is larger than the backend allows, whatever is free", "the message, or a request of 4 GiB or more on XPU", "Intel compute-runtime, Metal maxBufferLength, MPSNDArray, OpenVINO")];

    public IEnumerable<Finding> Run(OutOfMemoryCase found)
    {
        var isStated = found.Event.Family == "single-allocation";
        var isLikely = found.Event is { Backend: "XPU", Ledger: { Requested.Bytes: >= FourGiB, Free: null } };
        if (!isStated && !isLikely)
            yield break;
        yield return new("single-allocation-limit", Severity.Cause,
            $"{Limit(found.Event)}{(found.Event.Ledger.Requested is { } size ? $", and {size} were asked for" : "")}; how much is free does not matter.",
            [found.Event.Quote], null, isStated ? Certainty.High : Certainty.Medium,
            [
                new("smaller pieces: a smaller batch, chunked attention, a shorter context", null, "a little time"),
                found.Event.Backend == "MPS"
                    ? new("SDPA attention instead of eager, attention slicing, a newer PyTorch and macOS: each raised what one buffer may hold", null, "a little time")
                    : new("allow larger allocations: UR_L0_ENABLE_RELAXED_ALLOCATION_LIMITS=1 (OpenVINO: GPU_ENABLE_LARGE_ALLOCATIONS; older: IPEX and compute-runtime options)", null, "driver support"),
            ]);
    }

    private static string Limit(OutOfMemoryEvent failed) => failed switch
    {
        { Ledger.Allowed: { } allowed } => $"The device allocates at most {allowed} in one piece",
        { Backend: "MPS" } => "Metal limits the size of one buffer: to a share of the Mac's memory, for some operations to 4 GiB",
        _ => "The driver allocates at most 4 GB in one piece",
    };
}

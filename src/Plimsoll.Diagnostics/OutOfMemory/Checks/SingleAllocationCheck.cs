namespace Plimsoll.Diagnostics.OutOfMemory.Checks;

/// <summary>Backends that cannot allocate so much in one piece, whatever is free.</summary>
internal sealed class SingleAllocationCheck : IOutOfMemoryCheck
{
    private const long FourGiB = 4L << 30;

    public IEnumerable<Finding> Run(OutOfMemoryCase found)
    {
        var isStated = found.Event.Family == "pytorch-single-allocation";
        var isLikely = found.Event is { Backend: "XPU", Ledger: { Requested.Bytes: >= FourGiB, Free: null } };
        if (!isStated && !isLikely)
            yield break;
        yield return new("single-allocation-limit", Severity.Cause,
            $"The driver allocates at most 4 GB in one piece, and {found.Event.Ledger.Requested} were asked for; how much is free does not matter.",
            [found.Event.Quote], null, isStated ? Certainty.High : Certainty.Medium,
            [
                new("smaller pieces: a smaller batch, chunked attention, a shorter context", null, "a little time"),
                new("allow larger allocations: UR_L0_ENABLE_RELAXED_ALLOCATION_LIMITS=1 (older: IPEX and compute-runtime options)", null, "driver support"),
            ]);
    }
}

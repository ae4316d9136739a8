using System.Collections.Immutable;

namespace Plimsoll.Diagnostics.OutOfMemory.Checks;

/// <summary>More was free than was asked for, by the message's own numbers.</summary>
internal sealed class FailedThoughFreeCheck : IOutOfMemoryCheck
{
    public ImmutableArray<Rule> Rules =>
    [
        new("failed-though-free", "refused although more was free", "free > requested, and no limit that binds", "published messages"),
    ];

    public IEnumerable<Finding> Run(OutOfMemoryCase found)
    {
        var ledger = found.Event.Ledger;
        if (found.Sheet.Limit == Limit.None && found.Event.Family == "pytorch")
        {
            yield return new("failed-though-free", Severity.Cause,
                $"{ledger.Requested} were refused although {ledger.Free} were free: another limit than the device's memory was met, which the message does not name.",
                [found.Event.Quote], null, Certainty.Low,
                [
                    new("try a smaller allocation of the same kind: drivers of integrated GPUs, MIG slices, virtual GPUs and WSL limit single allocations", null, "none"),
                    new("check the limits of the container or job (ulimit -v, cgroup): page tables and pinned memory count there", null, "none"),
                    new("look at nvidia-smi while it fails: the number is that of the moment, another process may have let go since", null, "none"),
                ]);
        }
    }
}

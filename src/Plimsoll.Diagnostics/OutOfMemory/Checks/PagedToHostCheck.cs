using System.Collections.Immutable;

namespace Plimsoll.Diagnostics.OutOfMemory.Checks;

/// <summary>More is allocated than the device has: the driver pages GPU memory to the host.</summary>
internal sealed class PagedToHostCheck : IOutOfMemoryCheck
{
    public ImmutableArray<Rule> Rules =>
    [
        new("paged-to-host", "slow, then out of memory", "allocated + reserved > capacity", "NVIDIA: CUDA system memory fallback policy (driver 536.40 and later)"),
    ];

    public IEnumerable<Finding> Run(OutOfMemoryCase found)
    {
        var ledger = found.Event.Ledger;
        if (found.Event.Program == "PyTorch" && ledger is { Allocated: { } allocated, Total: { } total } && allocated.Bytes + (ledger.ReservedUnallocated?.Bytes ?? 0) > total.Bytes + total.Rounding)
        {
            yield return new("paged-to-host", Severity.Cause,
                $"PyTorch has allocated {allocated} on a device of {total}: the driver had moved memory to the host (Windows does so), which is slow, and then that ran out too.",
                [$"allocated {allocated}, capacity {total}"], null, Certainty.High,
                [
                    new($"a job smaller by {new Numerics.ByteSize(allocated.Bytes + (ledger.Requested?.Bytes ?? 0) - total.Bytes)} or more stays on the device and is fast again", null, "a smaller job"),
                    new("driver setting 'CUDA - Sysmem Fallback Policy: Prefer No Sysmem Fallback', to fail early instead of crawling", null, "none"),
                ]);
        }
    }
}

namespace Plimsoll.Diagnostics.OutOfMemory.Checks;

/// <summary>What the balance shows beside the cause: paging, graph pools, memory outside the allocator, numbers that are none.</summary>
internal sealed class AllocatorNotesCheck : IOutOfMemoryCheck
{
    private const long LargePools = 256L << 20;
    private const long LargeOutside = 3L << 29;

    public IEnumerable<Finding> Run(OutOfMemoryCase found)
    {
        var (ledger, sheet) = (found.Event.Ledger, found.Sheet);
        if (ledger is { Allocated: { } allocated, Total: { } total } && allocated.Bytes + (ledger.ReservedUnallocated?.Bytes ?? 0) > total.Bytes + total.Rounding)
        {
            yield return new("paged-to-host", Severity.Cause,
                $"PyTorch has allocated {allocated} on a device of {total}: the driver had moved memory to the host (Windows does so), which is slow, and then that ran out too.",
                [$"allocated {allocated}, capacity {total}"], null, Certainty.High,
                [
                    new($"a job smaller by {new Numerics.ByteSize(allocated.Bytes + (ledger.Requested?.Bytes ?? 0) - total.Bytes)} or more stays on the device and is fast again", null, "a smaller job"),
                    new("driver setting 'CUDA - Sysmem Fallback Policy: Prefer No Sysmem Fallback', to fail early instead of crawling", null, "none"),
                ]);
        }
        if (sheet.Limit == Limit.None && found.Event.Family == "pytorch")
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
        if (ledger.PrivatePools is { Bytes: > LargePools } pools)
        {
            yield return new("graph-pools", Severity.Note,
                $"Captured graphs keep {pools} that nothing else can use; they are counted as allocated, so live tensors are {sheet.Live}.",
                [$"private pools {pools}"], null, Certainty.High,
                [Fixes.Save(found, "fewer captured batch sizes, or no graphs (vLLM: --enforce-eager; SGLang: --cuda-graph-max-bs)", pools.Bytes, "slower decoding of small batches")]);
        }
        if (sheet.OutsideAllocator is { Bytes: > LargeOutside } outside && found.Event.Backend != "MPS")
        {
            yield return new("outside-allocator", Severity.Note,
                $"{outside} of this process are outside PyTorch's allocator; a CUDA context with its kernels is 0.3 to 1 GiB, the rest is NCCL, graphs, workspaces or a second framework.",
                [$"this process {sheet.Self}, allocated {ledger.Allocated}, reserved besides {ledger.ReservedUnallocated}"], null, Certainty.Medium,
                [new("fewer NCCL communicators and channels (NCCL_MAX_NCHANNELS); keep a second framework from preallocating (XLA_PYTHON_CLIENT_PREALLOCATE=false)", null, "slightly slower collectives")]);
        }
        if (found.Event.HasUnavailableNumbers)
        {
            yield return new("number-not-available", Severity.Note,
                "17179869184.00 GiB is how PyTorch prints that the driver had no number (Windows and WSL give none per process). It is ignored here.",
                [found.Event.Quote], null, Certainty.High, []);
        }
        if (sheet.MistakenForOther is { } id)
        {
            yield return new("own-process-listed", Severity.Note,
                $"Process {id} in the message is this process itself: inside a container its number differs from the host's.",
                [$"it holds {sheet.Self}, PyTorch {ledger.Allocated} of that"], null, Certainty.Medium, []);
        }
    }
}

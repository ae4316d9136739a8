using System.Collections.Immutable;

namespace Plimsoll.Diagnostics.OutOfMemory.Checks;

/// <summary>What the balance shows beside the cause: graph pools, memory outside the allocator, numbers that are none.</summary>
internal sealed class AllocatorNotesCheck : IOutOfMemoryCheck
{
    private const long LargePools = 256L << 20;
    private const long LargeOutside = 3L << 29;

    public ImmutableArray<Rule> Rules =>
    [
        new("graph-pools", "captured graphs keep memory", "private pools above 256 MiB", "CUDACachingAllocator: allocated includes idle blocks of graph pools"),
        new("outside-allocator", "memory of the process that PyTorch does not know", "this process - allocated - reserved, above 1.5 GiB", "CUDA context 0.3 to 1 GiB; NCCL 1 to 2 GiB (ml-engineering)"),
        new("number-not-available", "17179869184.00 GiB in use", "an amount of 2^64 - 1 bytes", "NVML_VALUE_NOT_AVAILABLE"),
        new("own-process-listed", "the message names another process, in a container", "a process as large as what PyTorch holds, and up to 2 GiB more", "nvidia-docker issues 179, 1483"),
    ];

    public IEnumerable<Finding> Run(OutOfMemoryCase found)
    {
        var (ledger, sheet) = (found.Event.Ledger, found.Sheet);
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

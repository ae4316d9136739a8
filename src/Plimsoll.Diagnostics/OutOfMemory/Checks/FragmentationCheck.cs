using System.Collections.Immutable;

namespace Plimsoll.Diagnostics.OutOfMemory.Checks;

/// <summary>Reserved memory that no tensor uses: the cause, a help, or not worth the hint that PyTorch prints.</summary>
/// <remarks>Before it gives up the allocator returns every segment that is wholly free, so what is left lies between live tensors.</remarks>
internal sealed class FragmentationCheck : IOutOfMemoryCheck
{
    public const string Name = "fragmentation";

    public ImmutableArray<Rule> Rules =>
    [
        new("fragmentation", "memory is reserved and in no tensor", "reserved but unallocated >= missing, and >= requested or a tenth of the device", "CUDACachingAllocator: whole free segments are returned before the error"),
        new("fragmentation-helps", "the same, just enough", "reserved but unallocated >= missing", "as above"),
        new("hint-does-not-apply", "the message advises against fragmentation", "reserved but unallocated < missing", "as above"),
    ];

    public IEnumerable<Finding> Run(OutOfMemoryCase found)
    {
        if (found.Event.Ledger is not { Requested: { } requested, ReservedUnallocated: { } trapped } ledger || found.Sheet.Limit == Limit.Cap)
            yield break;
        var couldHold = found.Sheet.Shortage is { } shortage ? trapped.Bytes >= shortage.Bytes + shortage.Rounding && shortage.Bytes > 0 : trapped.Bytes >= requested.Bytes;
        var isMuch = ledger.Total is { } total && trapped.Bytes * 10L > total.Bytes;
        if (couldHold && (trapped.Bytes >= requested.Bytes || isMuch))
        {
            yield return new(Name, Severity.Cause,
                $"{trapped} are reserved by PyTorch and in no tensor, more than the {found.Sheet.Shortage ?? requested} that were missing: free memory lies in pieces between live tensors.",
                [$"requested {requested}, free {ledger.Free?.ToString() ?? "unknown"}, reserved but unallocated {trapped}"],
                found.Sheet.Shortage?.Bytes, Certainty.Medium, [.. Remedies(found, trapped)])
            { ShortageRounding = found.Sheet.Shortage?.Rounding ?? 0 };
        }
        else if (couldHold)
        {
            yield return new("fragmentation-helps", Severity.Note,
                $"The {found.Sheet.Shortage} that were missing are less than the {trapped} that are reserved and in no tensor: joined, that memory may be just enough.",
                [$"reserved but unallocated {trapped}, missing {found.Sheet.Shortage}"], null, Certainty.Medium, [.. Remedies(found, trapped)]);
        }
        else if (found.Event.HasFragmentationHint)
        {
            yield return new("hint-does-not-apply", Severity.Note,
                $"The message advises against fragmentation, but only {trapped} are reserved and unused: that setting can gain no more, and it is not enough.",
                [$"reserved but unallocated {trapped}, missing {found.Sheet.Shortage?.ToString() ?? requested.ToString()}"], null, Certainty.High, []);
        }
    }

    private static IEnumerable<Fix> Remedies(OutOfMemoryCase found, Amount trapped)
    {
        if (found.IsWindows)
            yield return Fixes.Save(found, "PYTORCH_CUDA_ALLOC_CONF=max_split_size_mb:128 (expandable segments do not exist on Windows and WSL)", null, "a little time");
        else
            yield return Fixes.Save(found, found.Event.Backend == "HIP" ? "PYTORCH_HIP_ALLOC_CONF=expandable_segments:True" : "PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True (PYTORCH_ALLOC_CONF since 2.9)", trapped.Bytes, "none; not on Jetson, nor where tensors are shared between processes");
        yield return new("batches of few different lengths (bucket by length, pad to multiples)", null, "a little padding");
        yield return new("catch the error, leave the except block, gc.collect() and torch.cuda.empty_cache(), then go on: calling empty_cache before the failing line would have freed nothing", null, "time for the retry");
    }
}

using System.Collections.Immutable;

namespace Plimsoll.Diagnostics.OutOfMemory.Checks;

/// <summary>Somebody else is on the device.</summary>
internal sealed class OtherProcessesCheck : IOutOfMemoryCheck
{
    /// <summary>Below a tenth of the device others are not worth a sentence.</summary>
    private const int Share = 10;

    public ImmutableArray<Rule> Rules =>
    [
        new("other-processes", "somebody else is on the device", "processes that the message lists hold more than was missing", "CUDACachingAllocator reportProcessMemoryInfo"),
        new("unexplained-use", "more is in use than anybody owns up to", "total - free - this process - others, above a tenth of the device", "as above; containers, display, dead processes"),
    ];

    public IEnumerable<Finding> Run(OutOfMemoryCase found)
    {
        var sheet = found.Sheet;
        if (found.Event.Ledger.Total is not { } total || sheet.Limit == Limit.Cap)
            yield break;
        if (sheet.Others is { } others && others.Bytes * Share > total.Bytes)
        {
            var isCause = Fixes.Enough(found, others.Bytes) == true && found.Event.Ledger.Requested!.Value.Bytes <= total.Bytes;
            var named = found.Event.Ledger.Processes.Where(process => process.ProcessId != sheet.MistakenForOther).OrderByDescending(process => process.Amount.Bytes).ToImmutableArray();
            yield return new("other-processes", isCause ? Severity.Cause : Severity.Note,
                $"Other processes hold {others} of the device's {total}{(isCause ? ", which is more than was missing" : "")}.",
                [.. named.Select(process => $"process {process.ProcessId} has {process.Amount}")],
                sheet.Shortage?.Bytes, isCause ? Certainty.High : Certainty.Medium,
                [
                    .. named.Select(process => Fixes.Save(found, $"stop process {process.ProcessId}, or wait for it", process.Amount.Bytes, "none, if it is yours and no longer needed")),
                    new("another GPU with more free memory (CUDA_VISIBLE_DEVICES)", null, "none"),
                ])
            { ShortageRounding = sheet.Shortage?.Rounding ?? 0 };
        }
        if (sheet.Hidden is { } hidden && hidden.Bytes * Share > total.Bytes)
            yield return HiddenUse(found, hidden, total);
        else if (IsForeign(found) is { } foreign)
            yield return HiddenUse(found, foreign, total);
    }

    /// <summary>Old messages name no processes: what is neither free nor this allocator's is somebody's.</summary>
    private static Amount? IsForeign(OutOfMemoryCase found)
    {
        var ledger = found.Event.Ledger;
        if (found.Sheet.Self is not null || !ledger.Processes.IsEmpty || ledger is not { Total: { } total, Free: { } free, Allocated: { } allocated, ReservedUnallocated: { } reserved })
            return null;
        var rest = total - free - allocated - reserved;
        // Up to 2 GiB can be this process's own context and libraries.
        return rest.Bytes > (2L << 30) && rest.Bytes * Share > total.Bytes ? rest : null;
    }

    private static Finding HiddenUse(OutOfMemoryCase found, Amount hidden, Amount total)
    {
        var isCause = Fixes.Enough(found, hidden.Bytes) == true;
        return new("unexplained-use", isCause ? Severity.Cause : Severity.Note,
            $"{hidden} of {total} are in use and belong to no process that the message names: another user or container, a dead process, the display, or libraries of this process outside PyTorch.",
            [$"total {total}, free {found.Event.Ledger.Free}, this process {found.Sheet.Self ?? found.Event.Ledger.Allocated}"],
            found.Sheet.Shortage?.Bytes, Certainty.Medium,
            [Fixes.Save(found, "look who is there (nvidia-smi on the host, not in the container) and stop what is left over", hidden.Bytes, "none, if it is yours"), new("another GPU", null, "none")])
        { ShortageRounding = found.Sheet.Shortage?.Rounding ?? 0 };
    }
}

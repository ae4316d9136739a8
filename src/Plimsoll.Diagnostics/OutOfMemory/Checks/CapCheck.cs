using System.Collections.Immutable;
using System.Globalization;

namespace Plimsoll.Diagnostics.OutOfMemory.Checks;

/// <summary>The process had limited itself, and the limit came before the device's.</summary>
internal sealed class CapCheck : IOutOfMemoryCheck
{
    public ImmutableArray<Rule> Rules =>
    [
        new("memory-cap", "out of memory though much is free", "allowed - allocated - reserved < requested, by more than the device lacks", "CUDACachingAllocator: the fraction is tested before the driver is asked"),
    ];

    public IEnumerable<Finding> Run(OutOfMemoryCase found)
    {
        var ledger = found.Event.Ledger;
        if (found.Sheet.Limit != Limit.Cap || ledger.Allowed is not { } allowed || found.Sheet.Shortage is not { } shortage)
            yield break;
        var isMps = found.Event.Backend == "MPS";
        var free = ledger.Free is { } left ? $" The {left} that the message calls free are not for this process." : "";
        yield return new("memory-cap", Severity.Cause,
            isMps
                ? $"macOS lets this process use {allowed}, and {shortage} more were needed."
                : $"The process may use only {allowed} by its own setting; {shortage} more were needed.{free}",
            [$"allowed {allowed}, allocated {ledger.Allocated}, reserved besides {ledger.ReservedUnallocated ?? ledger.OtherAllocations ?? default}, requested {ledger.Requested}"],
            shortage.Bytes, Certainty.High, [.. Remedies(found, isMps)])
        { ShortageRounding = shortage.Rounding };
    }

    private static IEnumerable<Fix> Remedies(OutOfMemoryCase found, bool isMps)
    {
        var (ledger, shortage) = (found.Event.Ledger, found.Sheet.Shortage!.Value);
        if (isMps)
        {
            yield return new("PYTORCH_MPS_HIGH_WATERMARK_RATIO=0.0 lifts the limit", null, "the machine may swap or stall: the memory is shared with everything else");
            yield return new("close other programs; a smaller model, batch or context", null, "less at once");
            yield break;
        }
        if (ledger.Total is { Bytes: > 0 } total && ledger.Allowed is { } allowed)
        {
            var fraction = Math.Ceiling(100.0 * (allowed.Bytes + shortage.Bytes + shortage.Rounding) * 1.02 / total.Bytes) / 100;
            var onDevice = ledger.Requested!.Value - (ledger.Free ?? default);
            if (fraction <= 1 && !(ledger.Free is not null && onDevice.IsPositive))
            {
                yield return new(string.Create(CultureInfo.InvariantCulture, $"raise the fraction of set_per_process_memory_fraction to {fraction:0.00} or more, or remove the call"), shortage.Bytes, "none, if nobody else needs the memory", true);
            }
            else if (ledger.Free is not null && onDevice.IsPositive)
            {
                yield return new($"raise the limit and free {onDevice} on the device as well: the limit alone is not enough", null, "none, if nobody else needs the memory", false);
            }
        }
        foreach (var fix in Fixes.ForPhase(found))
            yield return fix;
    }
}

using System.Collections.Immutable;

namespace Plimsoll.Diagnostics.OutOfMemory.Checks;

/// <summary>The job itself needs more than there is: how much was missing, in which phase, and what to change.</summary>
internal sealed class ProcessNeedCheck : IOutOfMemoryCheck
{
    /// <summary>Allocators ask the driver in pieces of 2 and 20 MiB; such a request says nothing about the tensor.</summary>
    private const long SmallestSegments = 20L << 20;

    public ImmutableArray<Rule> Rules =>
    [
        new("needs-more-memory", "the job needs more than the device has", "requested - free; the phase from the traceback", "the balance of the message"),
        new("near-miss", "the same, by less than 2 % of the device", "requested - free", "the balance of the message"),
        new("device-full", "even 2 or 20 MiB were refused", "requested <= 20 MiB", "CUDACachingAllocator kSmallBuffer, kLargeBuffer"),
        new("second-copy", "as much again as is allocated was asked for", "requested within 2 % of allocated, above 1 GiB", "published cases of loading a model twice"),
    ];

    public IEnumerable<Finding> Run(OutOfMemoryCase found)
    {
        var (ledger, sheet) = (found.Event.Ledger, found.Sheet);
        if (found.Event.Program != "PyTorch" || found.Event.Kind != MemoryKind.Device || ledger is not { Requested: { } requested } || sheet.Limit != Limit.Device
            || ledger.Total is { } device && requested.Bytes > device.Bytes)
            yield break;
        var where = found.Phase == Phase.Unknown ? "" : " " + PhaseReader.Describe(found.Phase);
        if (IsSecondCopy(ledger))
        {
            yield return new("second-copy", Severity.Cause,
                $"{requested} were asked for while {ledger.Allocated} were allocated: the same amount twice, as when a model or its state is copied on the GPU before the first copy is gone.",
                [found.Event.Quote], sheet.Shortage?.Bytes, Certainty.Medium,
                [Fixes.Save(found, "load state to the CPU (map_location='cpu', mmap=True) or into a model on the meta device, and drop the first copy", ledger.Allocated?.Bytes, "none"), .. Fixes.ForPhase(found)])
            { ShortageRounding = sheet.Shortage?.Rounding ?? 0 };
            yield break;
        }
        var isFull = requested.Bytes <= SmallestSegments;
        var missing = sheet.Shortage is { } shortage ? $"at least {shortage} were missing" : "how much was missing the message does not say";
        var isNear = sheet.Shortage is { } near && ledger.Total is { } total && near.Bytes * 50L <= total.Bytes && !isFull;
        yield return new(isNear ? "near-miss" : isFull ? "device-full" : "needs-more-memory", Severity.Cause,
            isFull
                ? $"The device is full: even {requested}, the allocator's smallest piece, was not there{where}. The job needs more than the device has; by how much the message cannot say."
                : $"{requested} were asked for{where}; {missing}{(isNear ? ", less than 2 % of the device" : "")}.",
            [found.Event.Quote, .. found.PhaseLine is { } line ? [$"traceback: {line}"] : Array.Empty<string>()],
            sheet.Shortage is { Bytes: > 0 } known ? known.Bytes : null, sheet.Shortage is null || isFull ? Certainty.Medium : Certainty.High, [.. Fixes.ForPhase(found)])
        { ShortageRounding = sheet.Shortage?.Rounding ?? 0 };
    }

    private static bool IsSecondCopy(Ledger ledger) =>
        ledger is { Requested: { } requested, Allocated: { } allocated } && requested.Bytes > 1L << 30 && Math.Abs(requested.Bytes - allocated.Bytes) * 50L < allocated.Bytes;
}

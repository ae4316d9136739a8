namespace Plimsoll.Diagnostics.OutOfMemory;

/// <summary>What stood in the way of an allocation.</summary>
public enum Limit
{
    /// <summary>The device had too little left.</summary>
    Device,

    /// <summary>The process had set itself a limit, and there it was.</summary>
    Cap,

    /// <summary>More was free than was asked for: in no single piece, or beyond another limit that the message does not name.</summary>
    None,
}

/// <summary>The books of a message, closed: where every byte of the device was, and how many were missing.</summary>
/// <remarks>
/// Requested less free is missing; under a cap the larger of that and requested − (allowed − allocated − reserved). Everything else of the process is what
/// its total exceeds the allocator's; what no process owns up to is hidden (display, other containers, driver).
/// </remarks>
public sealed record BalanceSheet
{
    /// <summary>What a CUDA context and its loaded kernels take at the most, and other processes' rounding.</summary>
    private const long ContextBytes = 2L << 30;

    public required OutOfMemoryEvent Event { get; init; }

    /// <summary>In tensors that are in use: without the idle memory of graph pools.</summary>
    public Amount? Live { get; private init; }

    /// <summary>Of this process and unknown to its allocator: context, kernels, communication buffers, other libraries.</summary>
    public Amount? OutsideAllocator { get; private init; }

    /// <summary>What other processes hold.</summary>
    public Amount? Others { get; private init; }

    /// <summary>In use, and of no process that the message names.</summary>
    public Amount? Hidden { get; private init; }

    /// <summary>The whole of this process, stated or recognized among the others.</summary>
    public Amount? Self { get; private init; }

    /// <summary>The process that the message lists as another one and that can only be this one, as a container's numbers differ from the host's.</summary>
    public long? MistakenForOther { get; private init; }

    public Limit Limit { get; private init; }

    /// <summary>Bytes that were missing; negative where more was free than was asked for; null where the message does not tell.</summary>
    public Amount? Shortage { get; private init; }

    /// <summary>Reserved, in no tensor, and not given back: it lies in segments that are partly in use.</summary>
    public Amount? Trapped => Event.Ledger.ReservedUnallocated;

    public static BalanceSheet Of(OutOfMemoryEvent found)
    {
        var ledger = found.Ledger;
        var held = ledger.Allocated is { } allocated ? allocated + (ledger.ReservedUnallocated ?? default) : (Amount?)null;
        var (self, mistaken) = FindSelf(ledger, held);
        var others = ledger.Processes.Where(process => process.ProcessId != mistaken).Aggregate((Amount?)null, (sum, process) => (sum ?? default) + process.Amount);
        var outside = ledger.OtherAllocations ?? (self is { } whole && held is { } known && whole.Bytes >= known.Bytes ? whole - known : null);
        var hidden = ledger.Total is { } total && ledger.Free is { } free && self is { } own ? total - free - own - (others ?? default) : (Amount?)null;
        var (limit, shortage) = Close(ledger, held);
        return new()
        {
            Event = found,
            Live = ledger.Allocated is { } all ? all - (ledger.PrivatePools ?? default) : null,
            OutsideAllocator = outside,
            Others = others,
            Hidden = hidden is { IsPositive: true } ? hidden : null,
            Self = self,
            MistakenForOther = mistaken,
            Limit = limit,
            Shortage = shortage,
        };
    }

    private static (Limit, Amount?) Close(Ledger ledger, Amount? held)
    {
        if (ledger.Requested is not { } requested)
            return (Limit.Device, null);
        var onDevice = ledger.Free is { } free ? requested - free : (Amount?)null;
        var taken = ledger.OtherAllocations is { } other && ledger.Allocated is { } counted ? counted + other : held;
        var underCap = ledger.Allowed is { } allowed && taken is { } used ? requested - (allowed - used) : (Amount?)null;
        if (underCap is { IsPositive: true } cap && (onDevice is not { } missing || cap.Bytes >= missing.Bytes))
            return (Limit.Cap, cap);
        if (onDevice is not { } shortage)
            return (Limit.Device, ledger is { Total: { } total, Free: null } && held is { } mine && requested.Bytes + mine.Bytes > total.Bytes ? requested + mine - total : null);
        return (shortage.Bytes > -shortage.Rounding ? Limit.Device : Limit.None, shortage);
    }

    /// <summary>Zero bytes beside allocated tensors means that the driver did not know. A container sees the host's number of its own process.</summary>
    private static (Amount? Self, long? Mistaken) FindSelf(Ledger ledger, Amount? held)
    {
        if (ledger.ThisProcess is { } stated && (stated.Bytes > 0 || held is null or { Bytes: 0 }))
            return (stated, null);
        if (ledger.ThisProcess is not null || held is not { } known || known.Bytes == 0)
            return (null, null);
        foreach (var process in ledger.Processes)
        {
            var excess = process.Amount - known;
            if (excess.Bytes >= -excess.Rounding && excess.Bytes <= ContextBytes)
                return (process.Amount, process.ProcessId);
        }
        return (null, null);
    }
}

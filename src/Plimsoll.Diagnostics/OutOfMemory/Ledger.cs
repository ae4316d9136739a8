using System.Collections.Immutable;

namespace Plimsoll.Diagnostics.OutOfMemory;

/// <summary>Memory that a message says another process has.</summary>
public readonly record struct ProcessUse(long ProcessId, Amount Amount);

/// <summary>The amounts that a message states. What it does not state is null, never zero.</summary>
public sealed record Ledger
{
    /// <summary>What was asked for. Allocators round it up before they print it.</summary>
    public Amount? Requested { get; init; }

    public Amount? Total { get; init; }

    public Amount? Free { get; init; }

    /// <summary>Bytes in tensors, as PyTorch counts: idle memory of graph pools included.</summary>
    public Amount? Allocated { get; init; }

    /// <summary>Held by the allocator and in no tensor.</summary>
    public Amount? ReservedUnallocated { get; init; }

    /// <summary>Idle memory that captured graphs keep; part of <see cref="Allocated"/>.</summary>
    public Amount? PrivatePools { get; init; }

    /// <summary>The limit that the process has set itself.</summary>
    public Amount? Allowed { get; init; }

    /// <summary>Everything of this process, what its framework does not know of included.</summary>
    public Amount? ThisProcess { get; init; }

    /// <summary>What other allocators of this process hold, where the message says only that.</summary>
    public Amount? OtherAllocations { get; init; }

    public ImmutableArray<ProcessUse> Processes { get; init; } = [];
}

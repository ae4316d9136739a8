using System.Collections.Immutable;
using Plimsoll.Numerics;

namespace Plimsoll.Planning.Gpus;

/// <summary>What one GPU is: memory, bandwidth, rates, price. Facts only; every figure carries its source.</summary>
public sealed record GpuSpec
{
    /// <summary>The name to type: <c>rtx-4090</c>, <c>a100-80gb</c>.</summary>
    public required string Id { get; init; }

    public required string Name { get; init; }

    /// <summary><c>NVIDIA</c>, <c>AMD</c>, <c>Apple</c>, <c>Intel</c>; empty for a raw memory size.</summary>
    public required string Vendor { get; init; }

    public string? Architecture { get; init; }

    /// <summary>CUDA compute capability as NVIDIA writes it, for example <c>8.9</c>.</summary>
    public string? ComputeCapability { get; init; }

    public ImmutableArray<string> Aliases { get; init; } = [];

    /// <summary>The entry that a name without a memory size means, where a GPU was sold with several sizes.</summary>
    public bool IsDefaultSize { get; init; }

    /// <summary>Memory as it is sold, in GiB.</summary>
    public required Sourced LabelledGiB { get; init; }

    /// <summary>What the driver's own tool reports (<c>nvidia-smi</c>), in MiB; null on machines with unified memory.</summary>
    public Sourced? ReportedMiB { get; init; }

    /// <summary>What one process can get, in MiB: the driver's figure less what the driver keeps.</summary>
    public required Sourced UsableMiB { get; init; }

    /// <summary>The memory belongs to CPU and GPU alike (Apple, Jetson, GB10).</summary>
    public bool UnifiedMemory { get; init; }

    /// <summary>Memory bandwidth in GB/s (decimal, as vendors quote it).</summary>
    public Sourced? Bandwidth { get; init; }

    public ImmutableDictionary<RateKind, Sourced> Rates { get; init; } = ImmutableDictionary<RateKind, Sourced>.Empty;

    /// <summary>CUDA cores; for Apple, GPU cores.</summary>
    public Sourced? Cores { get; init; }

    public Sourced? TensorCores { get; init; }

    /// <summary>Link rates in GB/s, one direction.</summary>
    public Sourced? PcieBandwidth { get; init; }

    public Sourced? NvlinkBandwidth { get; init; }

    public Sourced? PowerWatts { get; init; }

    public Sourced? LaunchYear { get; init; }

    public Sourced? LaunchPriceUsd { get; init; }

    public ImmutableArray<RentalPrice> RentalPrices { get; init; } = [];

    /// <summary>Memory as it is sold. Plans compare with <see cref="UsableMemory"/>.</summary>
    public ByteSize LabelledMemory => ByteSize.FromGiB(LabelledGiB.Value);

    /// <summary>Bytes that one process can get.</summary>
    public ByteSize UsableMemory => ByteSize.FromMiB(UsableMiB.Value);

    /// <summary>The cheapest on-demand price per hour, or the cheapest of any kind when nobody lists one.</summary>
    public RentalPrice? CheapestRental =>
        RentalPrices.Where(price => price.Kind == "on-demand").MinBy(price => price.UsdPerHour) ?? RentalPrices.MinBy(price => price.UsdPerHour);

    public double? Rate(RateKind kind) => Rates.TryGetValue(kind, out var rate) ? rate.Value : null;

    /// <summary>A GPU about which nothing but its memory is known: <c>--gpu 24GiB</c>.</summary>
    public static GpuSpec FromMemory(ByteSize memory) => new()
    {
        Id = memory.ToString().Replace(" ", "", StringComparison.Ordinal),
        Name = memory.ToString(),
        Vendor = "",
        LabelledGiB = new(memory.InGiB, "given"),
        UsableMiB = new(memory.InMiB, "given"),
    };

    public override string ToString() => Name;
}

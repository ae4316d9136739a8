using System.Collections.Immutable;
using Plimsoll.Models;

namespace Plimsoll.Planning.Plans;

/// <summary>What a line of a plan is for.</summary>
public enum PlanCategory
{
    Weights,
    KvCache,
    Activations,
    Gradients,
    Optimizer,
    Overhead,
}

/// <summary>Which memory a line takes.</summary>
public enum MemoryPlace
{
    /// <summary>Memory of the accelerator, inside the engine's own allocator.</summary>
    Device,

    /// <summary>Memory of the accelerator that the driver and its libraries take: seen by nvidia-smi, not by the engine's allocator.</summary>
    Driver,

    /// <summary>Ordinary memory of the host.</summary>
    Host,
}

/// <summary>One line of a plan: a number of bytes, and why.</summary>
/// <param name="Name">What it is, for example <c>KV cache</c> or <c>CUDA context</c>.</param>
/// <param name="Formula">The formula with its numbers filled in.</param>
/// <param name="Source">Where the formula or the constant comes from.</param>
public sealed record PlanLine(PlanCategory Category, string Name, ByteRange Bytes, string Formula, string Source, MemoryPlace Place = MemoryPlace.Device);

/// <summary>A stretch of time with its own memory needs: load, prefill, decode.</summary>
public sealed record PlanPhase(string Name, ImmutableArray<PlanLine> Lines)
{
    public ByteRange Total => Sum(_ => true);

    public ByteRange Of(PlanCategory category) => Sum(line => line.Category == category);

    public ByteRange Sum(Func<PlanLine, bool> chosen) =>
        Lines.Where(chosen).Aggregate(default(ByteRange), (sum, line) => sum + line.Bytes);
}

/// <summary>The memory of one device over the phases of a run.</summary>
/// <param name="Name">For example <c>GPU 0</c>, or <c>each of 4 GPUs</c> where all carry the same.</param>
public sealed record DevicePlan(string Name, ImmutableArray<PlanPhase> Phases)
{
    /// <summary>The phase that needs most.</summary>
    public PlanPhase PeakPhase => Phases.MaxBy(phase => phase.Total.Expected)!;

    /// <summary>The peak over all phases; each bound is a maximum of its own.</summary>
    public ByteRange Peak => Phases.Select(phase => phase.Total).Aggregate(ByteRange.Max);
}

/// <summary>Where memory goes: lines grouped by phase, for every device of the run.</summary>
/// <remarks>The table, the JSON, <c>--explain</c>, the accuracy report and the golden tests are views of this record.</remarks>
public sealed record MemoryPlan
{
    /// <summary>At least one; devices that carry the same load are listed once (see <see cref="DevicePlan.Name"/>).</summary>
    public required ImmutableArray<DevicePlan> Devices { get; init; }

    /// <summary>Ordinary memory, where the engine keeps part of the run there; null when it does not matter.</summary>
    public DevicePlan? Host { get; init; }

    public required Confidence Confidence { get; init; }

    /// <summary>Assumptions and warnings, most important first.</summary>
    public ImmutableArray<string> Notes { get; init; } = [];

    /// <summary>The engine itself cannot run this at all, whatever memory there is; null when it can.</summary>
    public string? Impossible { get; init; }

    /// <summary>Tokens that a preallocated KV pool holds, for engines that have one and were given a device.</summary>
    public long? PoolTokens { get; init; }

    /// <summary>The device that needs most: the one that decides.</summary>
    public DevicePlan Fullest => Devices.MaxBy(device => device.Peak.Expected)!;

    public ImmutableArray<PlanPhase> Phases => Fullest.Phases;

    public ByteRange Peak => Fullest.Peak;
}

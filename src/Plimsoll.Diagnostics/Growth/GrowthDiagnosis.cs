using System.Collections.Immutable;

namespace Plimsoll.Diagnostics.Growth;

/// <summary>The verdicts over every series of an input, and the class of cause that the growing ledger points to.</summary>
/// <param name="Shape">The worst of them.</param>
public sealed record GrowthDiagnosis(GrowthShape Shape, ImmutableArray<GrowthVerdict> Verdicts, ImmutableArray<Finding> Findings)
{
    /// <summary>What a growing ledger can mean.</summary>
    public static ImmutableArray<Rule> Rules { get; } =
    [
        new("kv-growth", "memory grows with the tokens", "an axis of tokens", "2 x layers x KV heads x head size x bytes per token"),
        new("host-memory-grows", "a process takes memory of the host and keeps it", "resident memory of a process", "/proc"),
        new("retained-tensors", "more and more is in tensors", "the ledger 'allocated' grows", "torch.cuda.memory_allocated"),
        new("reserved-grows", "the allocator takes more while its tensors do not grow", "'reserved' grows, 'allocated' does not", "torch.cuda.memory_reserved"),
        new("outside-allocator-grows", "the process grows and its allocator does not", "'process' grows, 'reserved' or 'allocated' does not", "NVML, NCCL, CUDA graphs"),
        new("device-grows", "the device fills and this process does not", "'device' grows, 'process' does not", "NVML"),
        new("memory-grows", "memory grows", "a single ledger", "troughs, steadiness, curve fits"),
    ];

    public bool IsProblem => Shape is GrowthShape.Leak or GrowthShape.Growing;

    /// <summary>The soonest time to a ceiling, of the series over seconds that grow.</summary>
    public double? SecondsToCeiling => Verdicts.Where(verdict => verdict.Series.Axis == SeriesAxis.Seconds).Min(verdict => verdict.Forecast?.Expected);

    public static GrowthDiagnosis Of(IEnumerable<MemorySeries> series)
    {
        ImmutableArray<GrowthVerdict> verdicts = [.. series.Select(GrowthDetector.Judge)];
        return new(verdicts.IsEmpty ? GrowthShape.InsufficientData : verdicts.Max(verdict => verdict.Shape), verdicts, [.. verdicts.GroupBy(verdict => verdict.Series.Source).SelectMany(OfSource)]);
    }

    /// <summary>The innermost ledger that grows explains those around it.</summary>
    private static IEnumerable<Finding> OfSource(IGrouping<string, GrowthVerdict> source)
    {
        foreach (var verdict in source.Where(verdict => verdict.IsProblem).OrderByDescending(verdict => verdict.Series.Ledger))
        {
            var inner = source.Where(other => other.Series.Ledger > verdict.Series.Ledger).ToList();
            if (inner.Exists(other => other.IsProblem))
                continue;
            var nearest = inner.Where(other => other.Shape != GrowthShape.InsufficientData).MinBy(other => other.Series.Ledger);
            yield return Explain(verdict, nearest?.Series.Ledger);
        }
    }

    /// <param name="still">The ledger inside the growing one that does not grow.</param>
    private static Finding Explain(GrowthVerdict verdict, MemoryLedger? still)
    {
        var (check, message, fixes) = (verdict.Series.Ledger, still) switch
        {
            _ when verdict.Series.Axis == SeriesAxis.Tokens => ("kv-growth", "grows with the tokens: a KV cache, or a history that is never cut", KvCache),
            _ when verdict.Series.Source == MemorySeries.Host => ("host-memory-grows", "the process takes memory of the host and does not give it back", HostMemory),
            (MemoryLedger.Allocated, _) => ("retained-tensors", "more and more memory is in tensors that are never released", Retention),
            (MemoryLedger.Reserved, MemoryLedger.Allocated) => ("reserved-grows", "the allocator takes more and more while what is in tensors does not grow: fragmentation by changing shapes", Fragmentation),
            (MemoryLedger.Process, not null) => ("outside-allocator-grows", "the process grows but its allocator does not: communicators, graphs, or another library", OutsideAllocator),
            (MemoryLedger.Device, not null) => ("device-grows", "the device fills but this process does not: other processes, dead ones, or other containers", Others),
            _ => ("memory-grows", "memory is taken and not given back", Unknown),
        };
        var rate = verdict.Slope is { } slope ? $" by {Units.DescribeRate(slope.Median, verdict.Series.Axis)}" : "";
        return new(check, Severity.Cause, $"{verdict.Series.Name} rises{rate}: {message}.", verdict.Evidence, null, verdict.Certainty, fixes);
    }

    private static readonly ImmutableArray<Fix> Retention =
    [
        new("keep numbers, not tensors: total += loss.item(), outputs.append(x.detach().cpu())", null, "one synchronization per step"),
        new("find the line that allocates them: torch.cuda.memory._record_memory_history(), then plimsoll diagnose SNAPSHOT.pickle", null, "a second run"),
        new("cut state that is carried from step to step: hidden.detach(), no retain_graph=True", null, "none"),
    ];

    private static readonly ImmutableArray<Fix> Fragmentation =
    [
        new("PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True", null, "none that is usually noticed"),
        new("pad batches to a few fixed lengths", null, "some computing on padding"),
    ];

    private static readonly ImmutableArray<Fix> OutsideAllocator =
    [
        new("create process groups, CUDA graphs and inference sessions once, and destroy those that are done with", null, "none"),
        new("restart the worker after a number of requests", null, "a pause"),
    ];

    private static readonly ImmutableArray<Fix> Others =
    [
        new("list who holds memory: plimsoll doctor, or nvidia-smi --query-compute-apps=pid,used_memory --format=csv on the host", null, "none"),
    ];

    private static readonly ImmutableArray<Fix> KvCache =
    [
        new("limit the context, or drop the oldest turns", null, "the model forgets them"),
        new("a quantized KV cache (FP8 or q8_0)", null, "little quality; half of the growth"),
    ];

    private static readonly ImmutableArray<Fix> HostMemory =
    [
        new("see what holds it: tracemalloc in Python, dotnet-gcdump in .NET, heaptrack elsewhere", null, "a second run"),
        new("fewer workers and less prefetching in data loaders; no Python lists of objects in datasets, which every worker copies", null, "somewhat less throughput"),
    ];

    private static readonly ImmutableArray<Fix> Unknown =
    [
        new("log torch.cuda.memory_allocated() and memory_reserved() beside it: which of them grows tells retained tensors, fragmentation and other libraries apart", null, "none"),
        new("restart before the ceiling is reached", null, "a pause"),
    ];
}

using System.Globalization;
using Plimsoll.Numerics;
using Plimsoll.Planning.Engines;
using Plimsoll.Planning.Gpus;
using Plimsoll.Planning.Plans;
using Plimsoll.Planning.Speed;
using Plimsoll.Planning.Training;

namespace Plimsoll.Planning;

/// <summary>How one kind of GPU does with a model: how many are needed, or why it loses.</summary>
/// <param name="Count">The smallest number of GPUs that holds the model; null when none of the tried numbers does.</param>
/// <param name="Plan">The plan on that many GPUs, or on the largest number that was tried; null when the job cannot run there at all.</param>
/// <param name="Speed">Tokens per second of all of them together: decoded, or trained on; null when it cannot be told, or the GPU loses.</param>
/// <param name="Reason">Why it loses; null when it holds the model.</param>
public sealed record GpuFit(GpuSpec Gpu, int? Count, MemoryPlan? Plan, SpeedEstimate? Speed, string? Reason)
{
    /// <summary>What is left on the fullest GPU; negative when it is short.</summary>
    public long? HeadroomBytes => Gpu.UsableMemory.Bytes - Plan?.Peak.Expected;

    /// <summary>The cheapest known rental of all GPUs together; null when no price is known.</summary>
    public double? UsdPerHour => Gpu.CheapestRental?.UsdPerHour * Count;

    /// <summary>The launch price of all GPUs together; null when none is known.</summary>
    public double? LaunchUsd => Gpu.LaunchPriceUsd?.Value * Count;

    /// <summary>Rental for a million tokens at the expected speed; null when price or speed is unknown.</summary>
    public double? UsdPerMillionTokens => UsdPerRun(1_000_000);

    public double? UsdPerRun(double tokens) => HoursPerRun(tokens) * UsdPerHour;

    public double? HoursPerRun(double tokens) => tokens / Speed?.Expected / 3600;
}

/// <summary>Finds the number of GPUs that a job needs.</summary>
public static class GpuSearch
{
    /// <summary>GPUs in one machine.</summary>
    private static readonly int[] Counts = [1, 2, 4, 8];

    /// <summary>Machines of eight; what no listed GPU holds in one machine may fit a cluster.</summary>
    private static readonly int[] ClusterCounts = [16, 32, 64, 128, 256, 512, 1024];

    public static GpuFit Find(InferenceRequest request, GpuSpec gpu) => Find(InOneMachine(gpu), request, gpu);

    public static GpuFit Find(TrainingRequest request, GpuSpec gpu) => Find(InOneMachine(gpu), request, gpu);

    /// <summary>The smallest cluster of machines with eight of <paramref name="gpu"/>.</summary>
    public static GpuFit FindCluster(InferenceRequest request, GpuSpec gpu) => Find(ClusterCounts, request, gpu);

    /// <inheritdoc cref="FindCluster(InferenceRequest, GpuSpec)"/>
    public static GpuFit FindCluster(TrainingRequest request, GpuSpec gpu) => Find(ClusterCounts, request, gpu);

    /// <summary>The request on <paramref name="count"/> GPUs, divided as the engine divides by default: vLLM by matrices inside a machine, others by layers.</summary>
    public static InferenceRequest OnDevices(InferenceRequest request, int count, long usableBytes) => request with
    {
        DeviceBytes = usableBytes,
        Parallel = Parallelism.Default(request.Engine.Id, request.Model, count),
    };

    /// <summary>The run on <paramref name="count"/> data-parallel GPUs that divide weights, gradients and states among themselves.</summary>
    public static TrainingRequest OnDevices(TrainingRequest request, int count) => request with
    {
        Parallel = new(Data: count) { Sharding = count == 1 ? Sharding.None : Sharding.Weights },
    };

    private static IEnumerable<int> InOneMachine(GpuSpec gpu) => gpu.UnifiedMemory ? [1] : Counts;

    private static GpuFit Find(IEnumerable<int> counts, InferenceRequest request, GpuSpec gpu)
    {
        var usable = gpu.UsableMemory.Bytes;
        // A layer is never divided between stages.
        var tried = counts.Where(count => count <= Math.Max(1, request.Model.Layers.Length)).Select(count => (Count: count, Request: OnDevices(request, count, usable)));
        return Smallest(gpu, tried, InferencePlanner.Plan, (changed, count) =>
        {
            var input = SpeedInput.From(changed.Model, changed.Weights, changed.Engine.Id, new(gpu, count), (int)Math.Min(changed.Context, int.MaxValue), (int)Math.Min(changed.PromptTokens, int.MaxValue), changed.Batch, changed.KvFormat.Key.BitsPerWeight / 8);
            return SpeedModel.Default.Decode(input).Estimate;
        });
    }

    private static GpuFit Find(IEnumerable<int> counts, TrainingRequest request, GpuSpec gpu)
    {
        try
        {
            TrainingChecks.Check(request, gpu);
        }
        catch (TrainingConflictException conflict)
        {
            return new(gpu, null, null, null, conflict.Message);
        }
        return Smallest(gpu, counts.Select(count => (count, OnDevices(request, count))), TrainingPlanner.Plan, (changed, count) => TrainingSpeed.Estimate(changed, gpu, count));
    }

    private static GpuFit Smallest<TRequest>(GpuSpec gpu, IEnumerable<(int Count, TRequest Request)> tried, Func<TRequest, MemoryPlan> plan, Func<TRequest, int, SpeedEstimate?> speed)
    {
        var usable = gpu.UsableMemory.Bytes;
        var last = default((int Count, MemoryPlan Plan)?);
        foreach (var (count, request) in tried)
        {
            var planned = plan(request);
            if (planned.Impossible is null && planned.Devices.All(device => device.Peak.Expected <= usable))
                return new(gpu, count, planned, speed(request, count), null);
            last = (count, planned);
        }
        return new(gpu, null, last?.Plan, null, last is { } lost ? Explain(lost.Plan, lost.Count, usable) : "the model has fewer layers than the smallest number of GPUs that was tried");
    }

    private static string Explain(MemoryPlan plan, int count, long usable)
    {
        if (plan.Impossible is { } impossible)
            return impossible;
        var peak = plan.Fullest.PeakPhase;
        var each = count == 1 ? "" : string.Create(CultureInfo.InvariantCulture, $" on each of {count}");
        var weights = peak.Of(PlanCategory.Weights).Expected;
        var parts = Enum.GetValues<PlanCategory>()
            .Select(category => (Name: Name(category), Bytes: peak.Of(category).Expected))
            .Where(part => part.Bytes > 0)
            .Select(part => $"{part.Name} {new ByteSize(part.Bytes)}");
        return weights > usable
            ? $"the weights alone need {new ByteSize(weights)}{each}, {new ByteSize(usable)} are usable"
            : $"{new ByteSize(peak.Total.Expected - usable)} short{each}: {string.Join(", ", parts)}";
    }

    private static string Name(PlanCategory category) => category == PlanCategory.KvCache ? "KV cache" : category.ToString().ToLowerInvariant();
}

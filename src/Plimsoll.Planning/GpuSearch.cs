using System.Globalization;
using Plimsoll.Numerics;
using Plimsoll.Planning.Engines;
using Plimsoll.Planning.Gpus;
using Plimsoll.Planning.Plans;

namespace Plimsoll.Planning;

/// <summary>How one kind of GPU does with a model: how many are needed, or why it loses.</summary>
/// <param name="Count">The smallest number of GPUs that holds the model; null when none of the tried numbers does.</param>
/// <param name="Request">The request on that many GPUs, or on the largest number that was tried.</param>
/// <param name="Reason">Why it loses; null when it holds the model.</param>
public sealed record GpuFit(GpuSpec Gpu, int? Count, InferenceRequest Request, MemoryPlan Plan, string? Reason)
{
    /// <summary>What is left on the fullest GPU; negative when it is short.</summary>
    public long HeadroomBytes => Gpu.UsableMemory.Bytes - Plan.Peak.Expected;
}

/// <summary>Finds the number of GPUs that a request needs.</summary>
public static class GpuSearch
{
    /// <summary>GPUs in one machine; more is a cluster and another question.</summary>
    private static readonly int[] Counts = [1, 2, 4, 8];

    public static GpuFit Find(InferenceRequest request, GpuSpec gpu)
    {
        var usable = gpu.UsableMemory.Bytes;
        InferenceRequest last = request;
        var plan = default(MemoryPlan);
        foreach (var count in gpu.UnifiedMemory ? [1] : Counts)
        {
            // A layer is never divided between stages, a head never between ranks.
            if (count > request.Model.Layers.Length)
                break;
            last = OnDevices(request, count, usable);
            plan = InferencePlanner.Plan(last);
            if (plan.Impossible is null && plan.Devices.All(device => device.Peak.Expected <= usable))
                return new(gpu, count, last, plan, null);
        }
        return new(gpu, null, last, plan!, Explain(last, plan!, usable));
    }

    /// <summary>The request on <paramref name="count"/> GPUs, divided as the engine divides by default.</summary>
    public static InferenceRequest OnDevices(InferenceRequest request, int count, long usableBytes) => request with
    {
        DeviceBytes = usableBytes,
        Parallel = request.Engine.Id == "vllm" ? new(count, 1, 1) : new(1, count, 1),
    };

    private static string Explain(InferenceRequest request, MemoryPlan plan, long usable)
    {
        if (plan.Impossible is { } impossible)
            return impossible;
        var peak = plan.Fullest.PeakPhase;
        var count = request.Parallel.Devices;
        var each = count == 1 ? "" : string.Create(CultureInfo.InvariantCulture, $" on each of {count}");
        var weights = peak.Of(PlanCategory.Weights).Expected;
        var missing = new ByteSize(peak.Total.Expected - usable);
        return weights > usable
            ? $"the weights alone need {new ByteSize(weights)}{each}, {new ByteSize(usable)} are usable"
            : $"{missing} short{each}: weights {new ByteSize(weights)}, KV cache {new ByteSize(peak.Of(PlanCategory.KvCache).Expected)}, the rest {new ByteSize(peak.Total.Expected - weights - peak.Of(PlanCategory.KvCache).Expected)}";
    }
}

using Plimsoll.Models;
using Plimsoll.Numerics;
using Plimsoll.Planning.Plans;
using Plimsoll.Planning.Training;

namespace Plimsoll.Planning.Accuracy;

/// <summary>Measured training runs. What a source leaves open and a recipe of the framework does not fix is refused.</summary>
internal static class TrainingCases
{
    /// <summary>The longest sample of the Alpaca data set in Llama 2 tokens: the length that LitGPT and torchtune runs on it must hold.</summary>
    /// <remarks>Source: LitGPT tutorials/resource-tables.md.</remarks>
    public const long AlpacaLongest = 1304;

    public static IEnumerable<CaseResult> Evaluate(MeasuredCase measured, Func<string, ModelShape?> findModel)
    {
        var name = measured.Framework.ToLowerInvariant();
        var request = name switch
        {
            "litgpt" => TrainingLitGptCases.Request(measured, findModel),
            _ when name.StartsWith("torchtune", StringComparison.Ordinal) => TrainingTorchTuneCases.Request(measured, findModel),
            "torchtitan" => TrainingTorchTitanCases.Request(measured, findModel),
            _ when name.StartsWith("fsdp_qlora", StringComparison.Ordinal) => TrainingFsdpQloraCases.Request(measured, findModel),
            "unsloth" or "hf transformers + fa2" => TrainingContextCases.Request(measured, findModel),
            "peft + transformers" => TrainingPeftCases.Request(measured, findModel),
            "axolotl" => TrainingAxolotlCases.Request(measured, findModel),
            _ => throw new CaseRefusedException("batch, sequence length and checkpointing are not stated"),
        };
        return Compare(measured, request);
    }

    private static IEnumerable<CaseResult> Compare(MeasuredCase measured, TrainingRequest request)
    {
        MemoryPlan plan;
        try
        {
            plan = TrainingPlanner.Plan(request);
        }
        catch (TrainingConflictException conflict)
        {
            throw new CaseRefusedException(conflict.Message);
        }
        if (measured.MeasuredElement("max_context_tokens").ValueKind != System.Text.Json.JsonValueKind.Undefined)
            return [ContextCase(measured, plan)];
        if (MeasuredCase.Text(measured.MeasuredElementRoot, "oom") == "true")
            return [Verdict(measured, plan)];
        if (measured.MeasuredMiB("per_gpu_peak_allocated_mib") is { } peakAllocated)
            return [CaseResult.Compare(measured, "total", peakAllocated, Of(plan, reserved: false))];
        var total = measured.MeasuredMiB("total_mib") ?? measured.MeasuredMiB("per_gpu_peak_mib") ?? throw new CaseRefusedException("no peak was measured");
        if (measured.Setting("phase") is "model init (allocated)")
            return [CaseResult.Compare(measured, "load", total, plan.Phases[0].Sum(line => line.Place == MemoryPlace.Device))];
        var metric = MeasuredCase.Text(measured.MeasuredElementRoot, "metric") ?? "";
        var predicted = Of(plan, metric.Contains("reserved", StringComparison.Ordinal));
        // The measured part of a run on unpacked samples need not have met the longest one.
        var low = request.SequenceLength == AlpacaLongest && request.Trainer.Id == "torchtune" ? Of(TrainingPlanner.Plan(request with { SequenceLength = AlpacaLongest / 2 }), reserved: false).Low : predicted.Low;
        return [CaseResult.Compare(measured, "total", total, new(Math.Min(low, predicted.Low), predicted.Expected, predicted.High))];
    }

    /// <summary>Peak of the fullest rank as torch reports it: allocated, or with what the allocator holds in reserve.</summary>
    public static ByteRange Of(MemoryPlan plan, bool reserved) => plan.Devices
        .SelectMany(device => device.Phases)
        .Select(phase => phase.Sum(line => line.Place == MemoryPlace.Device || (reserved && line.Name == "allocator reserve")))
        .Aggregate(ByteRange.Max);

    /// <summary>The longest context that a card trains fills the card: the plan at that context should need all of it.</summary>
    private static CaseResult ContextCase(MeasuredCase measured, MemoryPlan plan)
    {
        var card = ByteSize.FromGiB(measured.NumberSetting("gpu_vram_gb") ?? throw new CaseRefusedException("the memory of the card is not stated")).Bytes;
        return measured.Measured("max_context_tokens") is null
            ? new() { Id = measured.Id, Group = measured.Group, Kind = measured.Kind, Quantity = "out_of_memory", Measured = 1, Predicted = plan.Peak.Expected > card ? 1 : 0 }
            : CaseResult.Compare(measured, "total", card, plan.Peak);
    }

    /// <summary>A run that ended for want of memory: measured 1; predicted 1 when the plan does not fit the card either.</summary>
    private static CaseResult Verdict(MeasuredCase measured, MemoryPlan plan)
    {
        var gpu = measured.Setting("gpu") is { } name ? Gpus.GpuCatalog.Default.Find(name) : null;
        if (gpu is null)
            throw new CaseRefusedException("the GPU of a run that failed is not stated");
        return new() { Id = measured.Id, Group = measured.Group, Kind = measured.Kind, Quantity = "out_of_memory", Measured = 1, Predicted = plan.Peak.Expected > gpu.UsableMemory.Bytes ? 1 : 0 };
    }

    internal static long Required(MeasuredCase measured, string setting, string what) =>
        measured.IntegerSetting(setting) ?? throw new CaseRefusedException($"{what} is not stated");

    internal static OptimizerSpec Optimizer(string? name) =>
        OptimizerCatalog.Find(name ?? "adamw") ?? throw new CaseRefusedException($"the optimizer '{name}' is not known");
}

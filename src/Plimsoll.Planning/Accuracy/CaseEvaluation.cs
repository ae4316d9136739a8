using System.Collections.Immutable;
using Plimsoll.Checkpoints;
using Plimsoll.Models;
using Plimsoll.Models.Catalog;
using Plimsoll.Planning.Engines;
using Plimsoll.Planning.Gpus;
using Plimsoll.Planning.Speed;

namespace Plimsoll.Planning.Accuracy;

/// <summary>Evaluates one measured case, whatever it measured.</summary>
public static class CaseEvaluation
{
    /// <param name="models">Where the models that sources name are looked up.</param>
    public static ImmutableArray<CaseResult> Evaluate(MeasuredCase measured, ModelCatalog models)
    {
        try
        {
            return measured.IsThroughput ? [Throughput(measured, models)] : MemoryCases.Evaluate(measured, name => FindShape(models, name));
        }
        catch (Exception failure) when (failure is CheckpointFormatException or CaseRefusedException or ArgumentOutOfRangeException or OverflowException)
        {
            // Settings that no run can have had: a batch of -1, a context of 2^60.
            return [CaseResult.Refuse(measured, "all", failure.Message)];
        }
    }

    private static ModelShape? FindShape(ModelCatalog models, string name)
    {
        try
        {
            return models.Find(name)?.Shape;
        }
        catch (UnknownArchitectureException)
        {
            return null;
        }
    }

    private static CaseResult Throughput(MeasuredCase measured, ModelCatalog models)
    {
        var evaluator = new ThroughputCases(models, GpuCatalog.Default, SpeedModel.Default);
        var outcome = evaluator.Evaluate(measured.AsThroughput());
        if (outcome is { Case.OutOfMemory: true, Setting: { } setting } && FindShape(models, setting.Model) is { } model)
            return Verdict(measured, setting, model);
        return new()
        {
            Id = measured.Id,
            Group = $"{outcome.Setting?.Engine ?? measured.Group} speed",
            Kind = "throughput",
            Quantity = Quantity(outcome),
            Measured = outcome.Measured,
            Predicted = outcome.Predicted?.Expected,
            Low = outcome.Predicted?.Low,
            High = outcome.Predicted?.High,
            RefusedBecause = outcome.RefusedBecause,
        };
    }

    /// <summary>A run that ended for want of memory: measured 1; predicted 1 when the plan does not fit either.</summary>
    private static CaseResult Verdict(MeasuredCase measured, ThroughputSetting setting, ModelShape model)
    {
        var request = new InferenceRequest
        {
            Model = model,
            Weights = CasePrecision.Weights(setting.Precision, model),
            Engine = EngineCatalog.Default.Find(setting.Engine)!,
            Context = Math.Max(1, setting.PromptTokens + setting.Generated),
        };
        var usable = setting.Gpus.Gpu.UsableMemory.Bytes;
        var fits = PlanLimits.Fits(GpuSearch.OnDevices(request, setting.Gpus.Count, usable), usable);
        return new()
        {
            Id = measured.Id,
            Group = $"{setting.Engine} speed",
            Kind = "throughput",
            Quantity = "out_of_memory",
            Measured = 1,
            Predicted = fits ? 0 : 1,
        };
    }

    /// <summary>What was timed: answers alone, the prompt alone, or whole requests.</summary>
    private static string Quantity(ThroughputOutcome outcome) => outcome.Setting switch
    {
        { Generated: 0 } => "prefill_tokens_per_second",
        { PromptTokens: 0 } => "decode_tokens_per_second",
        _ => "request_tokens_per_second",
    };
}

using System.Collections.Immutable;
using Plimsoll.Models;
using Plimsoll.Planning.Gpus;
using Plimsoll.Planning.Speed;
using Plimsoll.Planning.Weights;

namespace Plimsoll.Planning.Accuracy;

/// <summary>Evaluates one measured case, whatever it measured.</summary>
public static class CaseEvaluation
{
    /// <param name="findModel">The shape of a model by the name that a source gives it; null when unknown.</param>
    public static ImmutableArray<CaseResult> Evaluate(MeasuredCase measured, Func<string, ModelShape?> findModel) =>
        measured.IsThroughput ? [Throughput(measured, findModel)] : MemoryCases.Evaluate(measured, findModel);

    private static CaseResult Throughput(MeasuredCase measured, Func<string, ModelShape?> findModel)
    {
        var evaluator = new ThroughputCases(findModel, (shape, precision) => PrecisionScheme.Find(precision)?.Apply(shape), GpuCatalog.Default, SpeedModel.Default);
        var outcome = evaluator.Evaluate(measured.AsThroughput());
        return new()
        {
            Id = measured.Id,
            Group = outcome.Group,
            Kind = "throughput",
            Quantity = "tokens_per_second",
            Measured = outcome.Measured,
            Predicted = outcome.Predicted?.Expected,
            Low = outcome.Predicted?.Low,
            High = outcome.Predicted?.High,
            RefusedBecause = outcome.RefusedBecause,
        };
    }
}

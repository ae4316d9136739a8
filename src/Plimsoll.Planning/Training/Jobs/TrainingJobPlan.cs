using Plimsoll.Models;
using Plimsoll.Planning.Weights;

namespace Plimsoll.Planning.Training.Jobs;

/// <summary>A job as the planner sees it.</summary>
public static class TrainingJobPlan
{
    /// <summary>The trainer that runs jobs, in the catalog.</summary>
    private const string Trainer = "plimsoll-torch";

    /// <exception cref="TrainingConflictException">The optimizer is not known.</exception>
    public static TrainingRequest Request(TrainingJob job, ModelShape model)
    {
        ArgumentNullException.ThrowIfNull(job);
        var precision = job.Method == TrainingMethod.Qlora ? "nf4-dq" : job.Compute.ToString().ToLowerInvariant();
        return new()
        {
            Model = model,
            Method = job.Method,
            Weights = PrecisionScheme.Find(precision)!.Apply(model),
            Compute = job.Compute,
            MasterWeights = job.MasterWeights,
            RoundsWeights = job.Quantization is not null,
            Distills = job.Quantization is { Distill: true },
            Optimizer = OptimizerCatalog.Find(job.Optimizer) ?? throw new TrainingConflictException($"no optimizer is called '{job.Optimizer}'"),
            Trainer = TrainerCatalog.Find(Trainer)!,
            SequenceLength = job.SequenceLength,
            MicroBatch = job.MicroBatch,
            Accumulation = job.Accumulation,
            Checkpointing = job.Checkpointing,
            Adapter = job.Adapter is { } adapter ? new(adapter.Rank, adapter.Targets) : null,
        };
    }
}

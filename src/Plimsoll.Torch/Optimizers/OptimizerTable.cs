using Plimsoll.Planning.Training.Jobs;
using Plimsoll.Torch.Decoders;

namespace Plimsoll.Torch.Optimizers;

/// <summary>The optimizers by the ids of the planner's catalog.</summary>
internal static class OptimizerTable
{
    private static readonly Dictionary<string, Func<TrainingJob, IEnumerable<Weight>, Optimizer>> Makers = new(StringComparer.Ordinal)
    {
        ["adamw"] = (job, weights) => new AdamW(weights, job.MasterWeights, job.WeightDecay, job.Beta1, job.Beta2),
        ["adamw-8bit"] = (job, weights) => new AdamW8Bit(weights, job.MasterWeights, job.WeightDecay, job.Beta1, job.Beta2),
        ["sgd"] = (job, weights) => new Sgd(weights, job.MasterWeights, job.WeightDecay, momentum: 0),
        ["momentum"] = (job, weights) => new Sgd(weights, job.MasterWeights, job.WeightDecay, momentum: 0.9),
        ["lion"] = (job, weights) => new Lion(weights, job.MasterWeights, job.WeightDecay, job.Beta1, job.Beta2),
        ["adafactor"] = (job, weights) => new Adafactor(weights, job.MasterWeights, job.WeightDecay),
    };

    public static IEnumerable<string> Names => Makers.Keys;

    /// <exception cref="TrainingRefusedException">There is no such optimizer here.</exception>
    public static Optimizer Create(TrainingJob job, IEnumerable<Weight> weights) => Makers.TryGetValue(job.Optimizer, out var maker)
        ? maker(job, weights)
        : throw new TrainingRefusedException($"the optimizer '{job.Optimizer}' can be planned and not run here", $"choose one of {string.Join(", ", Names)}");
}

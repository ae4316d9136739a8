using Plimsoll.Planning.Training.Jobs;

namespace Plimsoll.Torch.Running;

/// <summary>The learning rate of each step.</summary>
internal static class LearningRate
{
    /// <param name="step">Counted from 0.</param>
    /// <param name="steps">Of the whole run.</param>
    public static double At(TrainingJob job, int step, int steps)
    {
        if (step < job.Warmup)
            return job.LearningRate * (step + 1) / job.Warmup;
        var last = job.LearningRate * job.FinalRate;
        var part = steps - job.Warmup <= 1 ? 0 : (double)(step - job.Warmup) / (steps - job.Warmup - 1);
        return job.Schedule switch
        {
            LearningSchedule.Linear => last + (job.LearningRate - last) * (1 - part),
            LearningSchedule.Cosine => last + (job.LearningRate - last) * 0.5 * (1 + Math.Cos(Math.PI * part)),
            _ => job.LearningRate,
        };
    }
}

using Plimsoll.Numerics;
using Plimsoll.Planning.Plans;
using Plimsoll.Planning.Training;
using Plimsoll.Planning.Training.Jobs;

namespace Plimsoll.Cli.Train;

/// <summary>The memory of a training run before it starts, against what the machine has.</summary>
internal static class TrainPlan
{
    /// <exception cref="CliException">The run cannot be, or needs more than the machine has free and nobody insists.</exception>
    public static MemoryPlan Create(TrainingRequest request)
    {
        try
        {
            return TrainingPlanner.Plan(request);
        }
        catch (TrainingConflictException conflict)
        {
            throw CliException.WrongUsage(conflict.Message);
        }
    }

    /// <summary>Refuses a run on the CPU that needs more than is free, with what would save most.</summary>
    /// <exception cref="CliException">It does.</exception>
    public static void Check(TrainingJob job, MemoryPlan plan, CliEnvironment environment, bool force)
    {
        var (peak, available) = (plan.Peak.Expected, environment.AvailableMemory());
        if (job.Device != TrainingDevice.Cpu || force || peak <= available)
            return;
        throw CliException.Environment(
            $"the run needs {new ByteSize(peak)} of memory and {new ByteSize(available)} are free",
            $"{string.Join(", ", Levers(job))} needs less; --force trains anyway");
    }

    private static IEnumerable<string> Levers(TrainingJob job)
    {
        if (job.Checkpointing != Checkpointing.Full)
            yield return "--checkpointing full";
        if (job.MicroBatch > 1)
            yield return $"--batch 1 --accumulate {job.MicroBatch * job.Accumulation}";
        if (job is { Method: TrainingMethod.Full, Optimizer: "adamw" })
            yield return "--optimizer adamw-8bit";
        if (job.Method != TrainingMethod.Qlora)
            yield return job.Method == TrainingMethod.Full ? "--method lora or qlora" : "--method qlora";
        yield return $"a shorter --context than {job.SequenceLength}";
    }
}

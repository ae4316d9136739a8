using Plimsoll.Models;
using Plimsoll.Numerics;
using Plimsoll.Planning;
using Plimsoll.Planning.Kv;
using Plimsoll.Planning.Weights;

namespace Plimsoll.Cli.Run;

/// <summary>The memory of a run before it starts: the plan of <c>plan --engine plimsoll</c> against what the machine has.</summary>
internal static class RunPlan
{
    /// <summary>The expected peak in bytes.</summary>
    /// <exception cref="CliException">It is more than the machine has free, and nobody insists.</exception>
    public static long Check(LocatedModel located, RunRequest run, CliEnvironment environment, bool force)
    {
        var checkpoint = located.Checkpoint!;
        var peak = InferencePlanner.Plan(new()
        {
            Model = located.Shape,
            Weights = WeightSet.FromCheckpoint(located.Shape, checkpoint.Tensors, checkpoint.Gguf?.Integer("general.file_type")),
            Engine = UserCatalogs.Engines(environment).Find("plimsoll")!,
            Context = run.Context,
            Prompt = run.Prompt,
            LlamaCpp = new() { MicroBatch = run.Batch },
            KvFormat = new KvFormat(run.KvFormat, run.KvFormat),
        }).Peak.Expected;
        var available = environment.AvailableMemory();
        if (peak > available && !force)
            throw CliException.Environment(
                $"the run needs {new ByteSize(peak)} of memory and {new ByteSize(available)} are free",
                "a shorter --context, --kv-precision q8_0, --batch 32 or a smaller quantization needs less; --force runs it anyway");
        return peak;
    }
}

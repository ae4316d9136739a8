using Plimsoll.Planning.Gpus;
using Plimsoll.Planning.Plans;
using Plimsoll.Planning.Training;

namespace Plimsoll.Planning.Launch;

/// <summary>A planned training run that is to be started.</summary>
public sealed record TrainingLaunch
{
    public required TrainingRequest Request { get; init; }

    public required MemoryPlan Plan { get; init; }

    public required LaunchModel Model { get; init; }

    /// <summary>The GPUs of the plan; null when none was named.</summary>
    public GpuSelection? Device { get; init; }

    public int GpusPerNode { get; init; } = LaunchRequest.DefaultGpusPerNode;

    internal LaunchCluster Cluster => LaunchCluster.Of(Request.Parallel.Devices, GpusPerNode);

    internal bool HasAdapters => Request.Method != TrainingMethod.Full;

    /// <summary>16-bit weights that no FP32 copy stands behind.</summary>
    internal bool IsPure16Bit => !HasAdapters && Request.Compute != ComputeType.Fp32 && !Request.MasterWeights;

    /// <summary>What the optimizer, the gradients and the weights divide, as DeepSpeed numbers it.</summary>
    internal int ZeroStage => Request.Parallel.Sharding switch
    {
        Sharding.OptimizerStates => 1,
        Sharding.Gradients => 2,
        Sharding.Weights => 3,
        _ => 0,
    };

    internal string Compute => Request.Compute.ToString().ToLowerInvariant();

    internal bool Offloads(TrainingOffload what) => Request.Offload.HasFlag(what);

    /// <summary>The training data and the loop are the user's; what no configuration file of <paramref name="tool"/> can say is refused.</summary>
    internal void RefuseOtherThanDataParallel(LaunchTool tool)
    {
        if (Request.Trainer.Id is not ("transformers" or "axolotl"))
            throw new LaunchRefusedException($"--emit {tool.Id} runs Hugging Face's Trainer, and the plan is for {Request.Trainer.Name}", "--engine transformers or axolotl");
        var parallel = Request.Parallel;
        if (parallel.Tensor > 1 || parallel.Pipeline > 1 || parallel.Expert > 1 || parallel.ShardGroup is not null)
            throw new LaunchRefusedException($"{tool.Name} configurations are written for data parallelism and ZeRO over all ranks; tensor, pipeline and expert parallelism and hybrid sharding are not", "--parallel dp=N,zero=3");
        if (Request.OptimizerInBackward)
            throw new LaunchRefusedException($"{tool.Name} has no setting for an optimizer step inside the backward pass", "torchtune has (optimizer_in_bwd: true); leave it out for --emit");
    }
}

using System.Globalization;
using Plimsoll.Planning.Training;

namespace Plimsoll.Planning.Launch;

/// <summary>What stands on top of a training configuration.</summary>
internal static class TrainingHeader
{
    private static readonly CultureInfo Culture = CultureInfo.InvariantCulture;

    public static IEnumerable<string> Lines(TrainingLaunch launch, LaunchTool tool)
    {
        var request = launch.Request;
        var method = request.Method switch
        {
            TrainingMethod.Lora => string.Create(Culture, $"LoRA of rank {request.Adapter!.Rank}"),
            TrainingMethod.Qlora => string.Create(Culture, $"QLoRA of rank {request.Adapter!.Rank} on {request.Weights.Precision}"),
            _ => request.MasterWeights && request.Compute != ComputeType.Fp32 ? "full, with FP32 master weights" : "full",
        };
        yield return string.Create(Culture, $"{request.Model.Id}, {method}, {launch.Compute}, {request.Optimizer.Name}, micro-batch {request.MicroBatch} x {request.SequenceLength} tokens, accumulation {request.Accumulation}");
        foreach (var line in LaunchHeader.Machines(launch.Cluster, launch.Device?.Gpu.Name, launch.Device?.Gpu.UsableMemory, launch.Plan))
            yield return line;
        yield return $"Key names: {tool.Name} {tool.Version}.";
    }

    /// <summary>The options that tell each of several machines its place.</summary>
    public static string Machine => "--machine_rank \"$NODE_RANK\" --main_process_ip \"$HEAD_NODE_IP\" --main_process_port 29500";
}

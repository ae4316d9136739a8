using Plimsoll.Planning.Engines;
using Plimsoll.Planning.Gpus;
using Plimsoll.Planning.Plans;

namespace Plimsoll.Planning.Launch;

/// <summary>A planned inference run that is to be started.</summary>
public sealed record LaunchRequest
{
    /// <summary>GPUs of the usual machine: what HGX and DGX boards carry.</summary>
    public const int DefaultGpusPerNode = 8;

    public required InferenceRequest Request { get; init; }

    public required MemoryPlan Plan { get; init; }

    public required LaunchModel Model { get; init; }

    /// <summary>The GPUs of the plan; null when none was named.</summary>
    public GpuSelection? Device { get; init; }

    public int GpusPerNode { get; init; } = DefaultGpusPerNode;

    /// <summary>The container image of a Kubernetes manifest; null for the engine's own.</summary>
    public string? Image { get; init; }

    /// <summary>The folder in which a container finds local weights; null where they lie as the user named them.</summary>
    internal string? ModelFolder { get; init; }
}

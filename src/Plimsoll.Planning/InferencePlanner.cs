using System.Collections.Frozen;
using Plimsoll.Planning.Engines;
using Plimsoll.Planning.Plans;

namespace Plimsoll.Planning;

/// <summary>Predicts the memory of an inference run, phase by phase.</summary>
public static class InferencePlanner
{
    private static readonly FrozenDictionary<string, IEnginePlanner> Planners = new Dictionary<string, IEnginePlanner>
    {
        ["transformers"] = new TransformersPlanner(),
        ["llama.cpp"] = new LlamaCppPlanner(),
        ["ik_llama.cpp"] = new LlamaCppPlanner(),
        ["vllm"] = new VllmPlanner(),
        ["litgpt"] = new LitGptPlanner(),
        ["plimsoll"] = new CpuPlanner(),
    }.ToFrozenDictionary();

    /// <exception cref="ArgumentOutOfRangeException">A count or size of the request is not positive.</exception>
    /// <exception cref="OverflowException">The request is so large that its bytes do not fit 64 bits.</exception>
    public static MemoryPlan Plan(InferenceRequest request)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(request.Context);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(request.Batch);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(request.Parallel.Tensor);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(request.Parallel.Pipeline);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(request.Parallel.Expert);
        if (request.Prompt is { } prompt)
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(prompt);
        return Planners[request.Engine.Id].Plan(request);
    }
}

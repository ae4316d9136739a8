using Plimsoll.Planning.Engines;
using Plimsoll.Planning.Gpus;
using Plimsoll.Planning.Launch;
using Plimsoll.Planning.Tests.Inference;
using Plimsoll.Planning.Training;
using Plimsoll.Planning.Weights;

namespace Plimsoll.Planning.Tests.Launch;

/// <summary>Planned runs as the tests need them.</summary>
internal static class Launches
{
    public static LaunchRequest Serving(string engine, string model = "llama-3.1-8b", string precision = "bf16", string? gpu = "h100", Func<InferenceRequest, InferenceRequest>? change = null)
    {
        var device = gpu is null ? null : GpuSelection.Parse(gpu, GpuCatalog.Default);
        var request = Requests.For(model, precision, engine, context: 8192) with { DeviceBytes = device?.Gpu.UsableMemory.Bytes };
        request = change?.Invoke(request) ?? request;
        return new() { Request = request, Plan = InferencePlanner.Plan(request), Device = device, Model = LaunchModel.OnHub(request.Model, "bf16") };
    }

    public static TrainingLaunch Training(TrainingMethod method = TrainingMethod.Full, string precision = "bf16", string optimizer = "adamw", Func<TrainingRequest, TrainingRequest>? change = null)
    {
        var shape = Requests.For("llama-3.1-8b").Model;
        var request = new TrainingRequest
        {
            Model = shape,
            Method = method,
            Weights = PrecisionScheme.Find(precision)!.Apply(shape),
            Optimizer = OptimizerCatalog.Find(optimizer)!,
            Trainer = TrainerCatalog.Default,
            SequenceLength = 2048,
            Checkpointing = Checkpointing.Full,
            Adapter = method == TrainingMethod.Full ? null : new(16, "all-linear"),
        };
        request = change?.Invoke(request) ?? request;
        return new() { Request = request, Plan = TrainingPlanner.Plan(request), Model = LaunchModel.OnHub(shape, "bf16"), Device = GpuSelection.Parse("a100-80gb", GpuCatalog.Default) };
    }

    public static TrainingRequest On(this TrainingRequest request, int gpus, Sharding sharding) => request with { Parallel = new(Data: gpus) { Sharding = sharding } };
}

using Plimsoll.Models;
using Plimsoll.Models.Catalog;
using Plimsoll.Planning.Plans;
using Plimsoll.Planning.Training;
using Plimsoll.Planning.Weights;

namespace Plimsoll.Planning.Tests.Training;

/// <summary>Training requests as the tests need them.</summary>
internal static class TrainingRuns
{
    public static ModelShape Model(string name) => BareSize.Parse(name) is not null ? BareSize.Create(name)! : ModelCatalog.Default.Find(name)!.Shape;

    public static TrainingRequest Full(string model, string precision = "bf16", string optimizer = "adamw", string trainer = "transformers") => new()
    {
        Model = Model(model),
        Method = TrainingMethod.Full,
        Weights = PrecisionScheme.Find(precision)!.Apply(Model(model)),
        Compute = Enum.Parse<ComputeType>(precision, ignoreCase: true),
        Optimizer = OptimizerCatalog.Find(optimizer)!,
        Trainer = TrainerCatalog.Find(trainer)!,
        SequenceLength = 1024,
    };

    public static TrainingRequest Lora(string model, int rank = 16, string targets = "default", string? quantized = null, string trainer = "transformers") => Full(model, trainer: trainer) with
    {
        Method = quantized is null ? TrainingMethod.Lora : TrainingMethod.Qlora,
        Weights = PrecisionScheme.Find(quantized ?? "bf16")!.Apply(Model(model)),
        Adapter = new(rank, targets.Split(',')),
    };

    /// <summary>Weights, master weights, gradients and optimizer states on one device.</summary>
    public static long States(this DevicePlan device)
    {
        var step = device.Phases.Single(phase => phase.Name == "optimizer step");
        return step.Of(PlanCategory.Weights).Expected + step.Of(PlanCategory.Gradients).Expected + step.Of(PlanCategory.Optimizer).Expected;
    }

    /// <summary>The peak as torch's allocator counts it.</summary>
    public static long Allocated(this MemoryPlan plan) => plan.Devices
        .SelectMany(device => device.Phases)
        .Max(phase => phase.Sum(line => line.Place == MemoryPlace.Device).Expected);
}

using Plimsoll.Models.Catalog;
using Plimsoll.Planning.Engines;
using Plimsoll.Planning.Plans;
using Plimsoll.Planning.Weights;

namespace Plimsoll.Planning.Tests.Inference;

/// <summary>Requests as the tests need them.</summary>
internal static class Requests
{
    public static InferenceRequest For(string model, string precision = "bf16", string engine = "transformers", long context = 4096)
    {
        var shape = BareSize.Parse(model) is not null ? BareSize.Create(model)! : ModelCatalog.Default.Find(model)!.Shape;
        return new()
        {
            Model = shape,
            Weights = PrecisionScheme.Find(precision)!.Apply(shape),
            Engine = EngineCatalog.Default.Find(engine)!,
            Context = context,
        };
    }

    public static long Bytes(this MemoryPlan plan, string line) =>
        plan.Devices.Append(plan.Host).OfType<DevicePlan>().Sum(device => device.PeakPhase.Sum(candidate => candidate.Name == line).Expected);
}

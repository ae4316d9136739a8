using Plimsoll.Models;
using Plimsoll.Planning.Plans;

namespace Plimsoll.Planning.Accuracy;

/// <summary>Loads with accelerate's <c>device_map</c>: weights spread over GPUs and host.</summary>
internal static class AccelerateCases
{
    public static IEnumerable<CaseResult> Evaluate(MeasuredCase measured, Func<string, ModelShape?> findModel)
    {
        if (measured.Switch("disk_offload") is not false)
            throw new CaseRefusedException("part of the weights is on disk, and how much is not stated");
        double[] places = [measured.Measured("gpu0_mib") ?? 0, measured.Measured("gpu1_mib") ?? 0, measured.Measured("cpu_mib") ?? 0];
        if (places.Sum() <= 0)
            throw new CaseRefusedException("no sizes were measured");
        var model = MemoryCases.Model(measured, findModel);
        var precision = measured.Setting("dtype") ?? throw new CaseRefusedException("the precision is not stated");
        var weights = CasePrecision.Weights(precision, model).Total.Bytes;
        // Where the balance falls is accelerate's choice; the sum is the model's.
        yield return CaseResult.Compare(measured, "weights", Numerics.ByteSize.FromMiB(places.Sum()).Bytes, ByteRange.Around(weights, 0.92, 1.0));
    }
}

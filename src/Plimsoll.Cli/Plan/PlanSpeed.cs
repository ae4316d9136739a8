using Plimsoll.Planning.Engines;
using Plimsoll.Planning.Gpus;
using Plimsoll.Planning.Speed;

namespace Plimsoll.Cli.Plan;

/// <summary>The speed of a planned run, where the GPU's bandwidth and rates are known.</summary>
internal static class PlanSpeed
{
    public static (SpeedEstimate? Decode, SpeedEstimate? Prefill, string? Reason) Estimate(InferenceRequest request, GpuSelection? device)
    {
        if (device is null)
            return default;
        var input = SpeedInput.From(
            request.Model, request.Weights, request.Engine.Id, device, (int)Math.Min(request.Context, int.MaxValue), (int)Math.Min(request.PromptTokens, int.MaxValue),
            request.Batch, request.KvFormat.Key.BitsPerWeight / 8);
        var decode = SpeedModel.Default.Decode(input);
        var prefill = SpeedModel.Default.Prefill(input);
        return (decode.Estimate, prefill.Estimate, decode.Reason ?? prefill.Reason);
    }
}

using System.Globalization;
using Plimsoll.Models;
using Plimsoll.Planning.Engines;
using Plimsoll.Planning.Weights;

namespace Plimsoll.Planning.Speed;

/// <summary>Tokens per second of our own engine on a measured processor.</summary>
/// <remarks>
/// Decoding a token reads every active weight once at the rate of its format, and the cache at the rate of memory. A prompt does two operations per active
/// weight and token. What is not a product (attention scores, norms, rotations) is not measured: the bounds leave room for it.
/// </remarks>
public static class CpuSpeed
{
    private const double Low = 0.6;
    private const double High = 1.1;

    public static SpeedEstimate Decode(InferenceRequest request, CpuProfile profile)
    {
        var weights = Products(request).Sum(tensor => tensor.ActiveBytes / profile.RateOf(tensor.Format).DecodeBytesPerSecond);
        var cacheBytes = InferencePlanner.Plan(request).Fullest.PeakPhase.Of(Plans.PlanCategory.KvCache).Expected;
        // On average half of the context is there.
        var cache = 0.5 * cacheBytes / profile.ReadBytesPerSecond;
        return Estimate(request.Batch / (weights + cache),
            new("weights", weights, string.Create(CultureInfo.InvariantCulture, $"{request.Weights.Active.Bytes} B at the measured rate of each format, {profile.Threads} threads")),
            new("KV cache", cache, string.Create(CultureInfo.InvariantCulture, $"half of {cacheBytes} B at {profile.ReadBytesPerSecond / 1e9:0.0} GB/s")));
    }

    public static SpeedEstimate Prefill(InferenceRequest request, CpuProfile profile)
    {
        var seconds = Products(request).Sum(tensor => 2.0 * tensor.Shape.ActiveElements / profile.RateOf(tensor.Format).PrefillOperationsPerSecond);
        return Estimate(1 / seconds, new SpeedTerm("products", seconds, "2 operations per active weight and token, at the measured rate of each format"));
    }

    /// <summary>The output head is a product too, also where it is the embedding; the rows of an embedding that are only looked up cost nothing.</summary>
    private static IEnumerable<WeightTensor> Products(InferenceRequest request) => request.Weights.Tensors
        .Where(tensor => tensor.Shape.Dimensions.Length > 1)
        .Where(tensor => tensor.Shape.Role != TensorRole.Embedding || request.Model.TiedEmbeddings);

    private static SpeedEstimate Estimate(double expected, params SpeedTerm[] terms) => new(expected * Low, expected, expected * High) { Terms = [.. terms] };
}

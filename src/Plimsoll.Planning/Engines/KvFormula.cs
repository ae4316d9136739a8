using System.Globalization;
using Plimsoll.Models;
using Plimsoll.Planning.Kv;

namespace Plimsoll.Planning.Engines;

/// <summary>Writes a KV cache size as the sum that it is, layers of one kind together.</summary>
internal static class KvFormula
{
    public static string Describe(IReadOnlyList<LayerShape> layers, InferenceRequest request, long tokens, bool dropsWindow, LatentCacheLayout layout = LatentCacheLayout.Expanded)
    {
        var groups = layers.Where(layer => layer.Attention is { SharesKeyValues: false }).GroupBy(layer => layer.Attention!);
        return Join(groups.Select(group =>
        {
            var cells = dropsWindow && group.Key.Window is { } window ? Math.Min(window, tokens) : tokens;
            return Term(group.Count(), group.Key, cells, request, layout);
        }), request);
    }

    public static string Join(IEnumerable<string> terms, InferenceRequest request)
    {
        var sum = string.Join(" + ", terms);
        if (sum.Length == 0)
            return "no layer caches keys or values";
        return request.Batch == 1 ? sum : string.Create(CultureInfo.InvariantCulture, $"({sum}) x {request.Batch} sequences");
    }

    public static string Term(int count, AttentionShape attention, long cells, InferenceRequest request, LatentCacheLayout layout)
    {
        var perToken = KvCache.BytesPerToken(attention, request.KvFormat, layout, request.Parallel.Tensor);
        var what = attention.Latent is { } latent && layout != LatentCacheLayout.Expanded
            ? string.Create(CultureInfo.InvariantCulture, $"latent {latent.KeyValueRank}+{latent.RopeDim}")
            : string.Create(CultureInfo.InvariantCulture, $"{(attention.Latent is null ? attention.KeyValueHeads : attention.Heads)} heads x {HeadDims(attention)}");
        var kind = attention.Window is null ? "" : " window";
        return string.Create(CultureInfo.InvariantCulture, $"{count}{kind} layers x {cells} tokens x {perToken} B ({what}, {request.KvFormat})");
    }

    private static string HeadDims(AttentionShape attention) => attention.KeyHeadDim == attention.ValueHeadDim
        ? string.Create(CultureInfo.InvariantCulture, $"{attention.KeyHeadDim} x 2")
        : string.Create(CultureInfo.InvariantCulture, $"({attention.KeyHeadDim} + {attention.ValueHeadDim})");
}

using System.Globalization;

namespace Plimsoll.Models;

/// <summary>Describes an architecture in the field's words.</summary>
public static class ModelShapeText
{
    /// <summary><c>32 layers, hidden 4096, 32 heads with 8 KV heads of 128, feed-forward 14336</c>.</summary>
    public static string Describe(ModelShape shape) => string.Join(", ", Parts(shape));

    private static IEnumerable<string> Parts(ModelShape shape)
    {
        yield return Number(shape.Layers.Length, "layer");
        yield return $"hidden {shape.HiddenSize}";
        var attention = shape.Layers.Select(layer => layer.Attention).OfType<AttentionShape>().ToList();
        foreach (var part in Attention(attention, shape.Layers.Length))
            yield return part;
        foreach (var kind in shape.Layers.Select(layer => layer.Recurrent?.Kind).OfType<string>().GroupBy(kind => kind))
            yield return $"{kind.Key} in {Number(kind.Count(), "layer")}";
        foreach (var part in FeedForward(shape))
            yield return part;
    }

    private static IEnumerable<string> Attention(List<AttentionShape> attention, int layers)
    {
        var where = attention.Count < layers ? $" in {Number(attention.Count, "layer")}" : "";
        var forms = attention.Select(Heads).Distinct().ToList();
        if (forms.Count is 1 or 2)
            yield return string.Join(" or ", forms) + where;
        else if (forms.Count > 2)
            yield return $"{forms.Count} forms of attention" + where;
        var windows = attention.Where(each => each.Window is not null).GroupBy(each => (each.Window, each.Chunked)).ToList();
        foreach (var window in windows)
            yield return $"{(window.Key.Chunked ? "chunks" : "window")} of {window.Key.Window} in {Number(window.Count(), "layer")}";
        if (attention.Count(each => each.SharesKeyValues) is > 0 and var shared)
            yield return $"{Number(shared, "layer")} without keys and values of their own";
    }

    private static string Heads(AttentionShape attention) => attention.Latent is { } latent
        ? $"{attention.Heads} heads on latents of {latent.KeyValueRank} + {latent.RopeDim}"
        : attention.KeyValueHeads == attention.Heads
            ? $"{attention.Heads} heads of {attention.KeyHeadDim}"
            : $"{attention.Heads} heads with {Number(attention.KeyValueHeads, "KV head")} of {attention.KeyHeadDim}";

    private static IEnumerable<string> FeedForward(ModelShape shape)
    {
        var parts = shape.Layers.Select(layer => layer.FeedForward).OfType<FeedForwardShape>().ToList();
        var widths = parts.Where(part => part.Experts is null).Select(part => part.Width).Distinct().ToList();
        if (widths.Count > 0)
            yield return widths.Count <= 2 ? $"feed-forward {string.Join(" or ", widths)}" : $"feed-forward {widths.Min()} to {widths.Max()}";
        foreach (var experts in parts.Select(part => part.Experts).OfType<ExpertShape>().GroupBy(each => each))
        {
            var (key, count) = (experts.Key, experts.Count());
            yield return $"{key.UsedPerToken} of {key.Count} experts of {key.Width}{(key.SharedWidth > 0 ? $" and shared ones of {key.SharedWidth}" : "")}{(count < shape.Layers.Length ? $" in {Number(count, "layer")}" : "")}";
        }
    }

    private static string Number(int count, string singular) => string.Create(CultureInfo.InvariantCulture, $"{count} {singular}{(count == 1 ? "" : "s")}");
}

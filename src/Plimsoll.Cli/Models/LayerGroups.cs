using Plimsoll.Models;

namespace Plimsoll.Cli.Models;

/// <summary>Equal layers of a model together, with the numbers they have.</summary>
internal static class LayerGroups
{
    public sealed record Group(LayerShape Layer, string Range, int Count);

    public static IReadOnlyList<Group> Of(ModelShape shape) =>
    [
        .. shape.Layers
            .Select((layer, index) => (layer, index))
            .GroupBy(pair => pair.layer)
            .Select(group => new Group(group.Key, Ranges([.. group.Select(pair => pair.index)]), group.Count())),
    ];

    public static string Mixer(LayerShape layer) => (layer.Attention, layer.Recurrent) switch
    {
        ({ } attention, { } recurrent) => $"{Attention(attention)} beside {Recurrent(recurrent)}",
        ({ } attention, null) => Attention(attention),
        (null, { } recurrent) => Recurrent(recurrent),
        _ => "–",
    };

    public static string FeedForward(FeedForwardShape? part)
    {
        if (part is null)
            return "–";
        var dense = part.Width > 0 ? $"{part.Width}{(part.Gated ? " gated" : "")}" : "";
        if (part.Experts is not { } experts)
            return dense;
        var shared = experts.SharedWidth > 0 ? $" + {experts.SharedWidth} shared" : "";
        return $"{(dense.Length > 0 ? dense + " + " : "")}{experts.UsedPerToken} of {experts.Count} experts of {experts.Width}{shared}";
    }

    private static string Attention(AttentionShape attention)
    {
        var reach = attention.Window is { } window ? $"{(attention.Chunked ? "chunks" : "window")} of {window}" : "attention";
        var text = attention.Latent is { } latent
            ? $"latent {reach}, {attention.Heads} heads, rank {latent.KeyValueRank} + {latent.RopeDim}"
            : $"{reach}, {attention.Heads} heads, {attention.KeyValueHeads} key-value heads of {Dimension(attention)}";
        return attention.SharesKeyValues ? text + ", cache of an earlier layer" : text;
    }

    private static string Dimension(AttentionShape attention) =>
        attention.KeyHeadDim == attention.ValueHeadDim ? $"{attention.KeyHeadDim}" : $"{attention.KeyHeadDim}/{attention.ValueHeadDim}";

    private static string Recurrent(RecurrentShape recurrent) => $"{recurrent.Kind}, state of {recurrent.ConvolutionElements + recurrent.StateElements}";

    /// <summary><c>0-2, 4-6, 8</c>; a long list of single layers is cut.</summary>
    private static string Ranges(IReadOnlyList<int> indices)
    {
        var parts = new List<string>();
        for (var at = 0; at < indices.Count;)
        {
            var end = at;
            while (end + 1 < indices.Count && indices[end + 1] == indices[end] + 1)
                end++;
            parts.Add(end == at ? $"{indices[at]}" : $"{indices[at]}-{indices[end]}");
            at = end + 1;
        }
        var shown = string.Join(", ", parts.Take(6));
        return parts.Count > 6 ? $"{indices.Count} layers: {shown}, …" : parts.Count > 1 ? $"{indices.Count} layers: {shown}" : shown;
    }
}

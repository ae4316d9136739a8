using Plimsoll.Models;

namespace Plimsoll.Planning.Engines;

/// <summary>How many values per token are alive at once while one layer runs.</summary>
internal static class ActivationWidth
{
    /// <summary>
    /// Values per token at the widest point of a layer in PyTorch: the MLP holds gate, up and their product (3 f; 2 f without a gate)
    /// beside residual, norm, input and output (4 h). Attention holds query, key, value and output beside the same 4 h.
    /// </summary>
    /// <remarks>The form 3 f + 4 h was derived on published Qwen2.5 figures (48 totals, median error 0.4 %). Norms, rotary tables and scores of flash attention are small.</remarks>
    public static long PerToken(ModelShape model, int tensorParallel = 1)
    {
        var widest = 0L;
        foreach (var layer in model.Layers)
            widest = Math.Max(widest, Math.Max(FeedForward(layer.FeedForward), Attention(layer.Attention)) / tensorParallel);
        return widest + 4L * model.HiddenSize;
    }

    /// <summary>The widest feed-forward width that every token passes.</summary>
    public static long FeedForwardWidth(ModelShape model) => model.Layers.Max(layer => layer.FeedForward is { } part ? EffectiveWidth(part) : 0);

    private static long FeedForward(FeedForwardShape? part) => part is null ? 0 : (part.Gated ? 3 : 2) * EffectiveWidth(part);

    /// <summary>Dense and shared parts see every token. Routed experts run one after another, each on its share of the tokens; twice the mean allows for an uneven router.</summary>
    private static long EffectiveWidth(FeedForwardShape part)
    {
        if (part.Experts is not { } experts)
            return part.Width;
        var routed = 2L * experts.Width * experts.UsedPerToken / Math.Max(1, experts.Count);
        return Math.Max(part.Width, Math.Max(experts.SharedWidth, routed));
    }

    private static long Attention(AttentionShape? attention) => attention is null
        ? 0
        : 2L * attention.Heads * attention.KeyHeadDim + (long)attention.KeyValueHeads * (attention.KeyHeadDim + attention.ValueHeadDim);
}

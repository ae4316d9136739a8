using System.Text.Json;
using Plimsoll.Models.Configuration;

namespace Plimsoll.Models.Architectures;

/// <summary>Llama-Nemotron (nemotron-nas) and DeciLM: each layer has its own groups and widths, or leaves out a part.</summary>
internal static class Nas
{
    private const int WidthMultiple = 256;

    public static DecoderFacts Write(ArchitectureContext context)
    {
        var config = context.Config;
        var facts = context.Facts(feedForward: 0);
        if (!config.Root.TryGetProperty("block_configs", out var blocks) || blocks.ValueKind != JsonValueKind.Array)
            return WriteDeciLm(context);
        if (blocks.GetArrayLength() != facts.Layers)
            throw config.Wrong("block_configs", $"{facts.Layers} entries, one per layer", $"{blocks.GetArrayLength()} entries");
        var list = blocks.EnumerateArray().Select(block => ReadBlock(config, block, facts)).ToList();
        return context.Write(facts, Llama.Style(context) with
        {
            LayerNorms = [],
            Mixer = layer => new(Attention(layer, list[layer.Index])),
            LayerFeedForward = layer => FeedForward(layer, list[layer.Index]),
        });
    }

    /// <summary>DeciLM-7B: only the key-value heads differ.</summary>
    private static DecoderFacts WriteDeciLm(ArchitectureContext context)
    {
        var facts = context.Facts();
        var heads = context.Config.Integers("num_key_value_heads_per_layer", facts.Layers) ?? throw context.Config.Missing("block_configs", "num_key_value_heads_per_layer");
        return context.Write(facts, Llama.Style(context) with
        {
            Mixer = layer => new(Decoder.Attention(layer, facts.Heads, heads[layer.Index], facts.HeadDim, window: null)),
        });
    }

    private static AttentionShape? Attention(DecoderLayer layer, Block block)
    {
        if (block.AttentionLinear || block.KeyValueHeads > 0)
            layer.Builder.Norm(layer.Prefix + "input_layernorm", layer.Facts.Hidden);
        if (block.AttentionLinear)
            layer.Builder.Linear(layer.Prefix + "self_attn.linear_attn", layer.Facts.Hidden, layer.Facts.Hidden, TensorRole.Attention);
        return block.KeyValueHeads == 0 ? null : Decoder.Attention(layer, layer.Facts.Heads, block.KeyValueHeads, layer.Facts.HeadDim, window: null);
    }

    private static FeedForwardShape? FeedForward(DecoderLayer layer, Block block)
    {
        if (block.FeedForwardLinear || block.Width > 0)
            layer.Builder.Norm(layer.Prefix + "post_attention_layernorm", layer.Facts.Hidden);
        if (block.FeedForwardLinear)
        {
            layer.Builder.Linear(layer.Prefix + "mlp.linear_mlp", layer.Facts.Hidden, layer.Facts.Hidden, TensorRole.FeedForward);
            return new(layer.Facts.Hidden, Gated: false);
        }
        return block.Width == 0 ? null : Decoder.Dense(layer, block.Width);
    }

    private static Block ReadBlock(ConfigReader config, JsonElement element, DecoderFacts facts)
    {
        if (element.ValueKind != JsonValueKind.Object
            || !element.TryGetProperty("attention", out var attention) || attention.ValueKind != JsonValueKind.Object
            || !element.TryGetProperty("ffn", out var feedForward) || feedForward.ValueKind != JsonValueKind.Object)
            throw config.Wrong("block_configs", "objects with attention and ffn", element);
        var group = Number(attention, "n_heads_in_group");
        var factor = Number(feedForward, "ffn_mult");
        return new(
            group is { } size and >= 1 && !IsSet(attention, "no_op") && !IsSet(attention, "replace_with_linear") ? facts.Heads / (int)size : 0,
            IsSet(attention, "replace_with_linear"),
            factor is { } times and > 0 and < 1000 && !IsSet(feedForward, "no_op") && !IsSet(feedForward, "replace_with_linear") ? Width(times, facts.Hidden) : 0,
            IsSet(feedForward, "replace_with_linear"));
    }

    /// <summary>Two thirds of factor × hidden, rounded up to a multiple of 256, as the model's own code computes it.</summary>
    private static int Width(double factor, int hidden)
    {
        var width = (int)(2 * factor * hidden / 3);
        return checked((width + WidthMultiple - 1) / WidthMultiple * WidthMultiple);
    }

    private static double? Number(JsonElement part, string name) =>
        part.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) ? number : null;

    private static bool IsSet(JsonElement part, string name) => part.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.True;

    /// <param name="KeyValueHeads">0 when the layer has no attention.</param>
    /// <param name="Width">0 when the layer has no feed-forward part.</param>
    private readonly record struct Block(int KeyValueHeads, bool AttentionLinear, int Width, bool FeedForwardLinear);
}

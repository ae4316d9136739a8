namespace Plimsoll.Models.Architectures;

/// <summary>ERNIE 4.5, dense and with experts.</summary>
internal static class Ernie
{
    /// <summary>ERNIE 4.5, dense: Llama.</summary>
    public static DecoderFacts Write(ArchitectureContext context)
    {
        var bias = context.Config.Flag("use_bias", false);
        return context.Write(context.Facts(tied: true), new()
        {
            Attention = new() { InputBias = bias, OutputBias = bias },
            FeedForward = new() { Bias = bias, DownBias = bias },
        });
    }

    /// <summary>ERNIE 4.5 with experts.</summary>
    public static DecoderFacts WriteMoe(ArchitectureContext context)
    {
        var config = context.Config;
        var facts = context.Facts(tied: true);
        var width = config.Width("moe_intermediate_size");
        var experts = new ExpertShape(config.Count("moe_num_experts"), config.Count("moe_k"), width, checked(config.Count("moe_num_shared_experts", 0) * width));
        var first = config.Count("moe_layer_start_index", 1);
        var last = config.TryCount("moe_layer_end_index") ?? facts.Layers - 1;
        var interval = Math.Max(1, config.Count("moe_layer_interval", 1));
        var style = new ExpertStyle { Shared = "mlp.shared_experts." };
        if (config.Count("num_nextn_predict_layers", 0) > 0)
            context.Builder.Note("The next-token (MTP) layer of this architecture is not counted.", Confidence.Medium);
        return context.Write(facts, new()
        {
            LayerFeedForward = layer =>
            {
                if (layer.Index < first || layer.Index > last || (layer.Index + 1) % interval != 0)
                    return Decoder.Dense(layer, facts.FeedForward);
                layer.Builder.Tensor(layer.Prefix + "mlp.moe_statics.e_score_correction_bias", TensorRole.Router, 1, experts.Count);
                return Decoder.Experts(layer, style, experts);
            },
        });
    }
}

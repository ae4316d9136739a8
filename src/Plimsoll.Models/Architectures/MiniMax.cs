namespace Plimsoll.Models.Architectures;

/// <summary>MiniMax-Text-01 and M1. M2 has the tensors of Mixtral, M3 a file of its own.</summary>
internal static class MiniMax
{
    /// <summary>MiniMax-Text-01 and M1: lightning attention (a heads × dim × dim state) in seven layers of eight.</summary>
    public static DecoderFacts Write(ArchitectureContext context)
    {
        var config = context.Config;
        var facts = context.Facts();
        var full = config.Integers("attn_type_list", facts.Layers);
        var types = config.Texts("layer_types", facts.Layers);
        if (full is null && types is null)
            throw config.Missing("attn_type_list", "layer_types");
        var experts = new ExpertShape(config.Count("num_local_experts"), config.Count("num_experts_per_tok"), facts.FeedForward, SharedWidth: 0);
        var names = new ExpertStyle
        {
            Router = "block_sparse_moe.gate",
            Experts = "block_sparse_moe.experts.*.",
            Matrices = new() { Gate = "w1", Up = "w3", Down = "w2" },
        };
        return context.Write(facts, new()
        {
            Mixer = layer => (full is { } list ? list[layer.Index] == 1 : types!.Value[layer.Index] == "full_attention") ? new(Decoder.Attention(layer)) : new(null, Lightning(layer)),
            LayerFeedForward = layer => Decoder.Experts(layer, names, experts),
        });
    }

    private static RecurrentShape Lightning(DecoderLayer layer)
    {
        var (builder, hidden, folder, width) = (layer.Builder, (long)layer.Facts.Hidden, layer.Prefix + "self_attn.", layer.Facts.QueryWidth);
        builder.Linear(folder + "qkv_proj", 3 * width, hidden, TensorRole.Recurrent);
        builder.Linear(folder + "output_gate", width, hidden, TensorRole.Recurrent);
        builder.Norm(folder + "norm", width);
        builder.Linear(folder + "out_proj", hidden, width, TensorRole.Recurrent);
        return new("lightning", 0, width * layer.Facts.HeadDim);
    }
}

namespace Plimsoll.Models.Architectures;

/// <summary>OPT: learned positions (two rows more than the context), biases everywhere, a narrower embedding in the 350M model.</summary>
internal static class Opt
{
    private const int PositionOffset = 2;

    public static DecoderFacts Write(ArchitectureContext context)
    {
        var (config, builder) = (context.Config, context.Builder);
        var facts = context.Facts(tied: true);
        var width = config.Width("word_embed_proj_dim", facts.Hidden);
        var trunk = context.Trunk("model.decoder.");
        builder.Tensor(trunk + "embed_tokens.weight", TensorRole.Embedding, facts.Vocabulary, width);
        builder.Tensor(trunk + "embed_positions.weight", TensorRole.PositionEmbedding, (facts.MaxContext ?? throw config.Missing("max_position_embeddings")) + PositionOffset, facts.Hidden);
        if (width != facts.Hidden)
        {
            builder.Linear(trunk + "project_in", facts.Hidden, width, TensorRole.Embedding);
            builder.Linear(trunk + "project_out", width, facts.Hidden, TensorRole.OutputHead);
        }
        var bias = config.Flag("enable_bias", true);
        var style = new DecoderStyle
        {
            NormBias = true,
            LayerNorms = ["self_attn_layer_norm", "final_layer_norm"],
            Attention = new() { Output = "out_proj", InputBias = bias, OutputBias = bias },
            FeedForwardFolder = "",
            FeedForward = FeedForwardStyle.Plain("fc1", "fc2", bias),
        };
        for (var index = 0; index < facts.Layers; index++)
            Decoder.WriteLayer(new(builder, facts, style, index, $"{trunk}layers.{index}."));
        builder.At(null);
        if (config.Flag("do_layer_norm_before", true) && !config.Flag("_remove_final_layer_norm", false))
            builder.Norm(trunk + "final_layer_norm", facts.Hidden, bias: true);
        if (!facts.Tied)
            builder.Linear(context.Head(), facts.Vocabulary, width, TensorRole.OutputHead);
        return facts;
    }
}

namespace Plimsoll.Models.Architectures;

/// <summary>T5, mT5, UMT5, Flan-T5, T0: an encoder and a decoder. The decoder's layers are the layers of the shape; the encoder is weights.</summary>
internal static class T5
{
    public static DecoderFacts Write(ArchitectureContext context)
    {
        var (config, builder) = (context.Config, context.Builder);
        int heads = config.Count("num_heads"), headDim = config.Width("d_kv");
        var facts = new DecoderFacts
        {
            Hidden = config.Width("d_model"),
            Layers = config.TryCount("num_decoder_layers") ?? config.Count("num_layers"),
            Heads = heads,
            KeyValueHeads = heads,
            HeadDim = headDim,
            FeedForward = config.Width("d_ff"),
            Vocabulary = config.Width("vocab_size"),
            MaxContext = config.TryTokens("n_positions"),
            Tied = config.Flag("tie_word_embeddings", true),
        };
        var gated = config.Text("feed_forward_proj")?.StartsWith("gated", StringComparison.Ordinal) ?? false;
        builder.Note("The encoder counts as weights; its activations and the cache of the attention from decoder to encoder are not part of the layers.", Confidence.Medium);
        builder.Tensor("shared.weight", TensorRole.Embedding, facts.Vocabulary, facts.Hidden);
        WriteStack(context, facts, "encoder.", config.Count("num_layers"), gated, isDecoder: false);
        WriteStack(context, facts, "decoder.", facts.Layers, gated, isDecoder: true);
        builder.At(null);
        Decoder.WriteHead(builder, facts, "lm_head");
        return facts;
    }

    private static void WriteStack(ArchitectureContext context, DecoderFacts facts, string stack, int blocks, bool gated, bool isDecoder)
    {
        var builder = context.Builder;
        var buckets = context.Config.Count("relative_attention_num_buckets", 32);
        for (var index = 0; index < blocks; index++)
        {
            builder.At(isDecoder ? index : null);
            var block = $"{stack}block.{index}.layer.";
            WriteAttention(builder, facts, block + "0.SelfAttention.");
            if (index == 0)
                builder.Tensor(block + "0.SelfAttention.relative_attention_bias.weight", TensorRole.PositionEmbedding, buckets, facts.Heads);
            builder.Norm(block + "0.layer_norm", facts.Hidden);
            if (isDecoder)
            {
                WriteAttention(builder, facts, block + "1.EncDecAttention.");
                builder.Norm(block + "1.layer_norm", facts.Hidden);
            }
            var last = isDecoder ? 2 : 1;
            var style = gated ? new FeedForwardStyle { Gate = "wi_0", Up = "wi_1", Down = "wo" } : FeedForwardStyle.Plain("wi", "wo", bias: false);
            Decoder.Matrices(builder, $"{block}{last}.DenseReluDense.", style, facts.Hidden, facts.FeedForward, TensorRole.FeedForward);
            builder.Norm($"{block}{last}.layer_norm", facts.Hidden);
            if (isDecoder)
            {
                var attention = new AttentionShape { Heads = facts.Heads, KeyValueHeads = facts.Heads, KeyHeadDim = facts.HeadDim, ValueHeadDim = facts.HeadDim };
                builder.AddLayer(new() { Attention = attention, FeedForward = new(facts.FeedForward, gated) });
            }
        }
        builder.At(null);
        builder.Norm(stack + "final_layer_norm", facts.Hidden);
    }

    private static void WriteAttention(ShapeBuilder builder, DecoderFacts facts, string folder)
    {
        foreach (var name in (ReadOnlySpan<string>)["q", "k", "v"])
            builder.Linear(folder + name, facts.QueryWidth, facts.Hidden, TensorRole.Attention);
        builder.Linear(folder + "o", facts.Hidden, facts.QueryWidth, TensorRole.Attention);
    }
}

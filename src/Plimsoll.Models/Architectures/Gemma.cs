namespace Plimsoll.Models.Architectures;

/// <summary>Gemma 1 to 3: tied embeddings, an explicit head dimension, and from the second on four norms a layer and interleaved windows.</summary>
internal static class Gemma
{
    private static readonly string[] FourNorms =
        ["input_layernorm", "post_attention_layernorm", "pre_feedforward_layernorm", "post_feedforward_layernorm"];

    public static DecoderFacts WriteGemma(ArchitectureContext context) => context.Write(context.Facts(tied: true), Llama.Style(context));

    /// <summary>Gemma 2: the even layers slide.</summary>
    public static DecoderFacts WriteGemma2(ArchitectureContext context)
    {
        var facts = context.Facts(tied: true);
        return context.Write(facts, Llama.Style(context) with
        {
            LayerNorms = FourNorms,
            Window = Windows.Read(context.Config, facts.Layers, layer => layer % 2 == 0),
        });
    }

    /// <summary>Gemma 3: five sliding layers, then one over the whole context; query and key norms.</summary>
    /// <remarks>The published multimodal configurations leave out what equals the defaults of the 4B model.</remarks>
    public static DecoderFacts WriteGemma3(ArchitectureContext context)
    {
        var config = context.Config;
        var heads = config.Count("num_attention_heads", 8);
        var facts = new DecoderFacts
        {
            Hidden = config.Width("hidden_size", 2304),
            Layers = config.Count("num_hidden_layers", 26),
            Heads = heads,
            KeyValueHeads = config.Count("num_key_value_heads", 4),
            HeadDim = config.Width("head_dim", 256),
            FeedForward = config.Width("intermediate_size", 9216),
            Vocabulary = config.Width("vocab_size", 262208),
            MaxContext = config.TryTokens("max_position_embeddings") ?? 131072,
            Tied = config.Flag("tie_word_embeddings", true),
        };
        var style = Llama.Style(context);
        return context.Write(facts, style with
        {
            Attention = style.Attention with { QueryKeyNorm = QueryKeyNorm.SharedByHeads },
            LayerNorms = FourNorms,
            Window = Windows.Read(config, facts.Layers, Windows.AllButEvery(config.TryCount("sliding_window_pattern", "_sliding_window_pattern") ?? 6)),
        });
    }
}

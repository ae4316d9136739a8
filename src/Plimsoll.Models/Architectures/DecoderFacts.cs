using Plimsoll.Models.Configuration;

namespace Plimsoll.Models.Architectures;

/// <summary>The facts that nearly every decoder configuration states, under whichever of their names.</summary>
internal sealed record DecoderFacts
{
    public required int Hidden { get; init; }

    public required int Layers { get; init; }

    public required int Heads { get; init; }

    public required int KeyValueHeads { get; init; }

    /// <summary>0 where latent attention states its own dimensions.</summary>
    public required int HeadDim { get; init; }

    /// <summary>The intermediate width of a dense feed-forward part.</summary>
    public required int FeedForward { get; init; }

    public required int Vocabulary { get; init; }

    public int? MaxContext { get; init; }

    public required bool Tied { get; init; }

    public long QueryWidth => (long)Heads * HeadDim;

    public long KeyValueWidth => (long)KeyValueHeads * HeadDim;

    /// <param name="tied">What the family does when the configuration does not say.</param>
    /// <param name="feedForward">The feed-forward width where the family computes it.</param>
    /// <param name="layers">The number of layers where another list of the configuration implies it.</param>
    public static DecoderFacts Read(ConfigReader config, bool tied = false, int? feedForward = null, int? layers = null)
    {
        var hidden = config.Width("hidden_size", "n_embd", "n_embed", "d_model", "hidden_dim", "dim");
        var heads = config.Count("num_attention_heads", "n_head", "n_heads", "num_heads");
        return new()
        {
            Hidden = hidden,
            Layers = layers ?? config.Count("num_hidden_layers", "n_layer", "n_layers", "num_layers"),
            Heads = heads,
            KeyValueHeads = config.TryCount("num_key_value_heads", "num_kv_heads", "n_head_kv", "multi_query_group_num") ?? heads,
            HeadDim = config.TryWidth("head_dim", "attention_head_dim", "kv_channels") ?? (config.Has("kv_lora_rank") ? 0 : DivideHeads(config, hidden, heads)),
            FeedForward = feedForward ?? config.TryWidth("intermediate_size", "ffn_dim", "n_inner", "ffn_hidden_size", "inner_hidden_size") ?? 0,
            Vocabulary = config.Width("vocab_size", "padded_vocab_size", "n_vocab"),
            MaxContext = ReadContext(config),
            Tied = config.Flag("tie_word_embeddings", tied),
        };
    }

    /// <summary>The context the model was made for. A rope scaling (YaRN) beside it lengthens it only where the published length is the short one.</summary>
    private static int? ReadContext(ConfigReader config) =>
        config.TryTokens("max_position_embeddings", "n_positions", "max_sequence_length", "max_seq_len", "seq_length", "n_ctx", "model_max_length");

    private static int DivideHeads(ConfigReader config, int hidden, int heads)
    {
        if (heads == 0)
            return 0;
        return hidden % heads == 0
            ? hidden / heads
            : throw config.Wrong("num_attention_heads", $"a divisor of the hidden size {hidden}, or head_dim to be stated", heads.ToString());
    }
}

using Plimsoll.Models.Configuration;

namespace Plimsoll.Models.Architectures;

/// <summary>Gemma 3n: four parallel residual streams (AltUp), low-rank side paths (Laurel), embeddings per layer, shared caches in the last layers.</summary>
internal static class Gemma3n
{
    public static DecoderFacts Write(ArchitectureContext context)
    {
        var config = context.Config;
        var widths = config.Root.TryGetProperty("intermediate_size", out var list) && list.ValueKind == System.Text.Json.JsonValueKind.Array ? config.Integers("intermediate_size") : null;
        var facts = new DecoderFacts
        {
            Hidden = config.Width("hidden_size", 2048),
            Layers = config.Count("num_hidden_layers", 35),
            Heads = config.Count("num_attention_heads", 8),
            KeyValueHeads = config.Count("num_key_value_heads", 2),
            HeadDim = config.Width("head_dim", 256),
            FeedForward = widths is null ? config.Width("intermediate_size", 16384) : 0,
            Vocabulary = config.Width("vocab_size", 262400),
            MaxContext = config.TryTokens("max_position_embeddings") ?? 32768,
            Tied = config.Flag("tie_word_embeddings", true),
        };
        if (widths is { } stated && stated.Length < facts.Layers)
            throw config.Wrong("intermediate_size", $"one width, or {facts.Layers}", $"{stated.Length} widths");
        var streams = config.Count("altup_num_inputs", 4);
        WriteOutside(context, facts, streams);
        var firstShared = facts.Layers - config.Count("num_kv_shared_layers", 15);
        return context.Write(facts, new()
        {
            Attention = new() { QueryKeyNorm = QueryKeyNorm.SharedByHeads },
            LayerNorms = ["input_layernorm", "post_attention_layernorm", "pre_feedforward_layernorm", "post_feedforward_layernorm"],
            Window = Windows.Read(config, facts.Layers, Windows.AllButEvery(5)),
            Mixer = layer => new(Decoder.Attention(layer) with { SharesKeyValues = layer.Index >= firstShared }),
            LayerFeedForward = layer =>
            {
                WriteSidePaths(layer, config, streams);
                return Decoder.Dense(layer, widths is { } each ? each[layer.Index] : facts.FeedForward);
            },
        });
    }

    private static void WriteOutside(ArchitectureContext context, DecoderFacts facts, int streams)
    {
        var (config, builder, trunk) = (context.Config, context.Builder, context.Trunk());
        int width = config.Width("hidden_size_per_layer_input", 256);
        var packed = (long)facts.Layers * width;
        builder.Tensor(trunk + "embed_tokens_per_layer.weight", TensorRole.Embedding, config.Width("vocab_size_per_layer_input", 262144), packed);
        builder.Linear(trunk + "per_layer_model_projection", packed, facts.Hidden, TensorRole.Other);
        builder.Norm(trunk + "per_layer_projection_norm", width);
        for (var stream = 0; stream < streams - 1; stream++)
        {
            builder.Linear($"{trunk}altup_projections.{stream}", facts.Hidden, facts.Hidden, TensorRole.Other);
            builder.Linear($"{trunk}altup_unembed_projections.{stream}", facts.Hidden, facts.Hidden, TensorRole.Other);
        }
    }

    private static void WriteSidePaths(DecoderLayer layer, ConfigReader config, int streams)
    {
        var (builder, hidden, prefix) = (layer.Builder, (long)layer.Facts.Hidden, layer.Prefix);
        long rank = config.Width("laurel_rank", 64), perLayer = config.Width("hidden_size_per_layer_input", 256);
        builder.Tensor(prefix + "altup.correct_output_scale", TensorRole.Other, hidden);
        builder.Linear(prefix + "altup.correction_coefs", streams, streams, TensorRole.Other);
        builder.Linear(prefix + "altup.prediction_coefs", (long)streams * streams, streams, TensorRole.Other);
        builder.Linear(prefix + "altup.modality_router", streams, hidden, TensorRole.Other);
        builder.Norm(prefix + "altup.router_norm", hidden);
        builder.Linear(prefix + "laurel.linear_left", rank, hidden, TensorRole.FeedForward);
        builder.Linear(prefix + "laurel.linear_right", hidden, rank, TensorRole.FeedForward);
        builder.Norm(prefix + "laurel.post_laurel_norm", hidden);
        builder.Linear(prefix + "per_layer_input_gate", perLayer, hidden, TensorRole.FeedForward);
        builder.Linear(prefix + "per_layer_projection", hidden, perLayer, TensorRole.FeedForward);
        builder.Norm(prefix + "post_per_layer_input_norm", hidden);
    }
}

using Plimsoll.Models.Configuration;

namespace Plimsoll.Models.Architectures;

/// <summary>Llama 3.2 Vision: Llama 3 with layers that look at the image instead of the text, and a tower of two stages.</summary>
internal static class Mllama
{
    private const int Channels = 3;

    /// <summary>Rows for special image tokens behind the vocabulary.</summary>
    private const int ExtraTokens = 8;

    public static DecoderFacts Write(ArchitectureContext context)
    {
        var config = context.Config.Nested("text_config") ?? throw context.Config.Missing("text_config");
        var builder = context.Builder;
        var facts = DecoderFacts.Read(config);
        var cross = config.Integers("cross_attention_layers") ?? throw config.Missing("cross_attention_layers");
        var style = new DecoderStyle { Mixer = layer => cross.Contains(layer.Index) ? CrossAttention(layer) : new(Decoder.Attention(layer)) };
        const string Trunk = "language_model.model.";
        builder.Tensor(Trunk + "embed_tokens.weight", TensorRole.Embedding, facts.Vocabulary + ExtraTokens, facts.Hidden);
        for (var index = 0; index < facts.Layers; index++)
            Decoder.WriteLayer(new(builder, facts, style, index, $"{Trunk}layers.{index}."));
        builder.At(null);
        builder.Norm(Trunk + "norm", facts.Hidden);
        Decoder.WriteHead(builder, facts, "language_model.lm_head");
        builder.Note($"{cross.Length} layers attend to the image only; the keys and values of image tiles are not part of the cache per text token.");
        if (context.Config.Nested("vision_config") is { } vision)
            WriteTower(builder, vision, facts.Hidden);
        return facts;
    }

    private static Mixer CrossAttention(DecoderLayer layer)
    {
        var named = layer with
        {
            Style = layer.Style with { AttentionFolder = "cross_attn.", Attention = new() { QueryKeyNorm = QueryKeyNorm.SharedByHeads } },
        };
        Decoder.Attention(named);
        layer.Builder.Tensor(layer.Prefix + "cross_attn_attn_gate", TensorRole.Attention, 1);
        layer.Builder.Tensor(layer.Prefix + "cross_attn_mlp_gate", TensorRole.FeedForward, 1);
        return default;
    }

    private static void WriteTower(ShapeBuilder builder, ConfigReader config, long textHidden)
    {
        const string Prefix = "vision_model.";
        long hidden = config.Width("hidden_size", 1280), patch = config.Width("patch_size", 14), side = config.Width("image_size", 448) / Math.Max(1, patch);
        long positions = side * side + 1, tiles = config.Count("max_num_tiles", 4);
        // One row for each of the eight arrangements of up to four tiles, and one for padding.
        const long Ratios = 9;
        builder.AllAs(TensorRole.Tower);
        builder.Tensor(Prefix + "class_embedding", TensorRole.Tower, hidden);
        builder.Tensor(Prefix + "patch_embedding.weight", TensorRole.Tower, hidden, Channels, patch, patch);
        builder.Tensor(Prefix + "gated_positional_embedding.embedding", TensorRole.Tower, positions, hidden);
        builder.Tensor(Prefix + "gated_positional_embedding.gate", TensorRole.Tower, 1);
        builder.Tensor(Prefix + "gated_positional_embedding.tile_embedding.weight", TensorRole.Tower, Ratios, tiles * positions * hidden);
        foreach (var name in (ReadOnlySpan<string>)["pre_tile_positional_embedding", "post_tile_positional_embedding"])
        {
            builder.Tensor($"{Prefix}{name}.embedding.weight", TensorRole.Tower, Ratios, tiles * hidden);
            builder.Tensor($"{Prefix}{name}.gate", TensorRole.Tower, 1);
        }
        builder.Norm(Prefix + "layernorm_pre", hidden, bias: true);
        builder.Norm(Prefix + "layernorm_post", hidden, bias: true);
        WriteStage(builder, Prefix + "transformer.", config, hidden, config.Count("num_hidden_layers", 32), gated: false);
        WriteStage(builder, Prefix + "global_transformer.", config, hidden, config.Count("num_global_layers", 8), gated: true);
        builder.Linear("multi_modal_projector", textHidden, config.Width("vision_output_dim", 7680), TensorRole.Tower, bias: true);
        builder.AllAs(null);
    }

    private static void WriteStage(ShapeBuilder builder, string prefix, ConfigReader config, long hidden, int layers, bool gated)
    {
        long width = config.Width("intermediate_size", 5120);
        for (var index = 0; index < layers; index++)
        {
            var layer = $"{prefix}layers.{index}.";
            foreach (var name in (ReadOnlySpan<string>)["q_proj", "k_proj", "v_proj", "o_proj"])
                builder.Linear($"{layer}self_attn.{name}", hidden, hidden, TensorRole.Tower);
            builder.Norm(layer + "input_layernorm", hidden, bias: true);
            builder.Norm(layer + "post_attention_layernorm", hidden, bias: true);
            builder.Linear(layer + "mlp.fc1", width, hidden, TensorRole.Tower, bias: true);
            builder.Linear(layer + "mlp.fc2", hidden, width, TensorRole.Tower, bias: true);
            if (gated)
            {
                builder.Tensor(layer + "gate_attn", TensorRole.Tower, 1);
                builder.Tensor(layer + "gate_ffn", TensorRole.Tower, 1);
            }
        }
    }
}

using Plimsoll.Models.Configuration;

namespace Plimsoll.Models.Architectures;

/// <summary>Vision towers as weights: CLIP, SigLIP, Pixtral, Gemma 4's and Llama 3.2's. Their activations are not modelled.</summary>
internal static class VisionTowers
{
    private const int Channels = 3;

    /// <summary>CLIP ViT as in LLaVA 1.5. Defaults are those of the base model in the transformers library.</summary>
    public static void WriteClip(ShapeBuilder builder, ConfigReader config, string prefix)
    {
        var sizes = VitSizes.Read(config);
        builder.Tensor(prefix + "embeddings.class_embedding", TensorRole.Tower, sizes.Hidden);
        builder.Tensor(prefix + "embeddings.patch_embedding.weight", TensorRole.Tower, sizes.Hidden, Channels, sizes.Patch, sizes.Patch);
        builder.Tensor(prefix + "embeddings.position_embedding.weight", TensorRole.Tower, sizes.Patches + 1, sizes.Hidden);
        builder.Norm(prefix + "pre_layrnorm", sizes.Hidden, bias: true);
        WriteVitLayers(builder, prefix, sizes);
        builder.Norm(prefix + "post_layernorm", sizes.Hidden, bias: true);
    }

    /// <summary>SigLIP ViT as in Gemma 3: no class token, a bias on the patch embedding. The pooling head exists only where the configuration asks for it.</summary>
    public static void WriteSiglip(ShapeBuilder builder, ConfigReader config, string prefix)
    {
        var sizes = VitSizes.Read(config);
        builder.Tensor(prefix + "embeddings.patch_embedding.weight", TensorRole.Tower, sizes.Hidden, Channels, sizes.Patch, sizes.Patch);
        builder.Tensor(prefix + "embeddings.patch_embedding.bias", TensorRole.Tower, sizes.Hidden);
        builder.Tensor(prefix + "embeddings.position_embedding.weight", TensorRole.Tower, sizes.Patches, sizes.Hidden);
        WriteVitLayers(builder, prefix, sizes);
        builder.Norm(prefix + "post_layernorm", sizes.Hidden, bias: true);
    }

    private static void WriteVitLayers(ShapeBuilder builder, string prefix, VitSizes sizes)
    {
        for (var index = 0; index < sizes.Layers; index++)
        {
            var layer = $"{prefix}encoder.layers.{index}.";
            foreach (var name in (ReadOnlySpan<string>)["k_proj", "v_proj", "q_proj", "out_proj"])
                builder.Linear($"{layer}self_attn.{name}", sizes.Hidden, sizes.Hidden, TensorRole.Tower, bias: true);
            builder.Norm(layer + "layer_norm1", sizes.Hidden, bias: true);
            builder.Norm(layer + "layer_norm2", sizes.Hidden, bias: true);
            builder.Linear(layer + "mlp.fc1", sizes.Intermediate, sizes.Hidden, TensorRole.Tower, bias: true);
            builder.Linear(layer + "mlp.fc2", sizes.Hidden, sizes.Intermediate, TensorRole.Tower, bias: true);
        }
    }

    /// <summary>Pixtral ViT: a small Llama without biases.</summary>
    public static void WritePixtral(ShapeBuilder builder, ConfigReader config, string prefix)
    {
        long hidden = config.Width("hidden_size", 1024), width = config.Width("intermediate_size", 4096), patch = config.Width("patch_size", 16);
        builder.Tensor(prefix + "patch_conv.weight", TensorRole.Tower, hidden, Channels, patch, patch);
        builder.Norm(prefix + "ln_pre", hidden);
        for (var index = 0; index < config.Count("num_hidden_layers", 24); index++)
        {
            var layer = $"{prefix}transformer.layers.{index}.";
            foreach (var name in (ReadOnlySpan<string>)["q_proj", "k_proj", "v_proj", "o_proj"])
                builder.Linear($"{layer}attention.{name}", hidden, hidden, TensorRole.Tower);
            builder.Norm(layer + "attention_norm", hidden);
            Decoder.Matrices(builder, layer + "feed_forward.", new(), hidden, width, TensorRole.Tower);
            builder.Norm(layer + "ffn_norm", hidden);
        }
    }

    /// <summary>Gemma 4's ViT: gated feed-forward, four norms, query and key norms, two tables of positions.</summary>
    public static void WriteGemma4(ShapeBuilder builder, ConfigReader config, string prefix)
    {
        if (config.Flag("use_clipped_linears", false))
            builder.Note("The clipping bounds of the vision tower (four numbers a linear layer) are not counted.");
        long hidden = config.Width("hidden_size", 768), width = config.Width("intermediate_size", 3072), patch = config.Width("patch_size", 16);
        long headDim = config.Width("head_dim", 64), heads = config.Count("num_attention_heads", 12), keyValueHeads = config.Count("num_key_value_heads", 12);
        builder.Linear(prefix + "patch_embedder.input_proj", hidden, Channels * patch * patch, TensorRole.Tower);
        builder.Tensor(prefix + "patch_embedder.position_embedding_table", TensorRole.Tower, 2, config.Width("position_embedding_size", 10240), hidden);
        for (var index = 0; index < config.Count("num_hidden_layers", 16); index++)
        {
            var layer = $"{prefix}encoder.layers.{index}.";
            builder.Linear(layer + "self_attn.q_proj.linear", heads * headDim, hidden, TensorRole.Tower);
            builder.Linear(layer + "self_attn.k_proj.linear", keyValueHeads * headDim, hidden, TensorRole.Tower);
            builder.Linear(layer + "self_attn.v_proj.linear", keyValueHeads * headDim, hidden, TensorRole.Tower);
            builder.Linear(layer + "self_attn.o_proj.linear", hidden, heads * headDim, TensorRole.Tower);
            builder.Norm(layer + "self_attn.q_norm", headDim);
            builder.Norm(layer + "self_attn.k_norm", headDim);
            var matrices = new FeedForwardStyle { Gate = "gate_proj.linear", Up = "up_proj.linear", Down = "down_proj.linear" };
            Decoder.Matrices(builder, layer + "mlp.", matrices, hidden, width, TensorRole.Tower);
            foreach (var norm in (ReadOnlySpan<string>)["input_layernorm", "post_attention_layernorm", "pre_feedforward_layernorm", "post_feedforward_layernorm"])
                builder.Norm(layer + norm, hidden);
        }
        if (config.Flag("standardize", false))
        {
            builder.Tensor(prefix + "std_bias", TensorRole.Tower, hidden);
            builder.Tensor(prefix + "std_scale", TensorRole.Tower, hidden);
        }
    }

    /// <summary>Llama 4's ViT.</summary>
    public static void WriteLlama4(ShapeBuilder builder, ConfigReader config, string prefix)
    {
        long hidden = config.Width("hidden_size", 768), width = config.Width("intermediate_size", 5632), patch = Math.Max(1, config.Width("patch_size", 14));
        long projected = config.Width("projector_output_dim", 4096), image = config.Width("image_size", 448);
        builder.Tensor(prefix + "class_embedding", TensorRole.Tower, hidden);
        builder.Linear(prefix + "patch_embedding.linear", hidden, Channels * patch * patch, TensorRole.Tower);
        builder.Tensor(prefix + "positional_embedding_vlm", TensorRole.Tower, (image / patch * (image / patch)) + 1, hidden);
        builder.Norm(prefix + "layernorm_pre", hidden, bias: true);
        builder.Norm(prefix + "layernorm_post", hidden, bias: true);
        for (var index = 0; index < config.Count("num_hidden_layers", 34); index++)
        {
            var layer = $"{prefix}model.layers.{index}.";
            foreach (var name in (ReadOnlySpan<string>)["q_proj", "k_proj", "v_proj", "o_proj"])
                builder.Linear($"{layer}self_attn.{name}", hidden, hidden, TensorRole.Tower, bias: true);
            builder.Norm(layer + "input_layernorm", hidden, bias: true);
            builder.Norm(layer + "post_attention_layernorm", hidden, bias: true);
            builder.Linear(layer + "mlp.fc1", width, hidden, TensorRole.Tower, bias: true);
            builder.Linear(layer + "mlp.fc2", hidden, width, TensorRole.Tower, bias: true);
        }
        // Pixel shuffle lays four patches side by side, which is as wide as the feed-forward part.
        builder.Linear(prefix + "vision_adapter.mlp.fc1", config.Width("projector_input_dim", 4096), width, TensorRole.Tower);
        builder.Linear(prefix + "vision_adapter.mlp.fc2", projected, projected, TensorRole.Tower);
    }

    private sealed record VitSizes(long Hidden, long Intermediate, int Layers, long Patch, long Patches)
    {
        public static VitSizes Read(ConfigReader config)
        {
            long patch = Math.Max(1, config.Width("patch_size", 14)), side = config.Width("image_size", 224) / patch;
            return new(config.Width("hidden_size"), config.Width("intermediate_size"), config.Count("num_hidden_layers"), patch, side * side);
        }
    }
}

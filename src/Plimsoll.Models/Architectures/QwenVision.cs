namespace Plimsoll.Models.Architectures;

/// <summary>Qwen2-VL, Qwen2.5-VL, Qwen3-VL: the language models of Qwen with their vision towers.</summary>
internal static class QwenVision
{
    public static DecoderFacts WriteQwen2(ArchitectureContext context)
    {
        var facts = Qwen.WriteQwen2(Inner(context, nested: "model."));
        WriteTower2(context, facts, gated: false);
        return facts;
    }

    public static DecoderFacts WriteQwen25(ArchitectureContext context)
    {
        var facts = Qwen.WriteQwen2(Inner(context, nested: "model."));
        WriteTower2(context, facts, gated: true);
        return facts;
    }

    public static DecoderFacts WriteQwen3(ArchitectureContext context)
    {
        var facts = Qwen.WriteQwen3(Inner(context, nested: "model.language_model."));
        WriteTower3(context, deepLayers: 3);
        return facts;
    }

    public static DecoderFacts WriteQwen3Moe(ArchitectureContext context)
    {
        var facts = QwenHybrid.WriteStackedMoe(Inner(context, nested: "model.language_model."));
        WriteTower3(context, deepLayers: 3);
        return facts;
    }

    /// <summary>Qwen3.5 and 3.6, dense or with experts.</summary>
    public static DecoderFacts WriteQwen35(ArchitectureContext context)
    {
        var facts = QwenHybrid.WriteQwen35(Inner(context, nested: "model.language_model."));
        WriteTower3(context, deepLayers: 0);
        return facts;
    }

    /// <summary>The language part: <c>text_config</c>, or the flat configuration of the older checkpoints.</summary>
    private static ArchitectureContext Inner(ArchitectureContext context, string nested) => context with
    {
        Config = context.Config.Nested("text_config") ?? context.Config,
        Outer = context.Config,
        TrunkPrefix = nested,
        HeadName = "lm_head",
    };

    /// <summary>Qwen-VL: a ViT-bigG of OpenCLIP, and a pool of queries that attend to its patches.</summary>
    /// <remarks>Source: Qwen/Qwen-VL visual.py.</remarks>
    public static void WriteTower1(ArchitectureContext context)
    {
        if (context.Config.Nested("visual") is not { } config)
            return;
        const string Prefix = "transformer.visual.";
        const long Queries = 256;
        var builder = context.Builder;
        long hidden = config.Width("width"), patch = config.Width("patch_size"), output = config.Width("output_dim");
        var width = (long)(hidden * config.Number("mlp_ratio", 4));
        builder.AllAs(TensorRole.Tower);
        builder.Tensor(Prefix + "conv1.weight", TensorRole.Tower, hidden, 3, patch, patch);
        builder.Tensor(Prefix + "positional_embedding", TensorRole.Tower, Queries, hidden);
        builder.Norm(Prefix + "ln_pre", hidden, bias: true);
        for (var index = 0; index < config.Count("layers"); index++)
        {
            var block = $"{Prefix}transformer.resblocks.{index}.";
            builder.Norm(block + "ln_1", hidden, bias: true);
            builder.Norm(block + "ln_2", hidden, bias: true);
            builder.Linear(block + "attn.in_proj", 3 * hidden, hidden, TensorRole.Tower, bias: true);
            builder.Linear(block + "attn.out_proj", hidden, hidden, TensorRole.Tower, bias: true);
            builder.Linear(block + "mlp.c_fc", width, hidden, TensorRole.Tower, bias: true);
            builder.Linear(block + "mlp.c_proj", hidden, width, TensorRole.Tower, bias: true);
        }
        const string Pool = Prefix + "attn_pool.";
        builder.Tensor(Pool + "query", TensorRole.Tower, Queries, output);
        builder.Tensor(Pool + "pos_embed", TensorRole.Tower, Queries, output);
        builder.Linear(Pool + "kv_proj", output, hidden, TensorRole.Tower);
        builder.Tensor(Pool + "attn.in_proj_weight", TensorRole.Tower, 3 * output, output);
        builder.Tensor(Pool + "attn.in_proj_bias", TensorRole.Tower, 3 * output);
        builder.Linear(Pool + "attn.out_proj", output, output, TensorRole.Tower, bias: true);
        builder.Norm(Pool + "ln_q", output, bias: true);
        builder.Norm(Pool + "ln_kv", output, bias: true);
        builder.Norm(Prefix + "ln_post", output, bias: true);
        builder.Tensor(Prefix + "proj", TensorRole.Tower, output, output);
        builder.AllAs(null);
    }

    private static void WriteTower2(ArchitectureContext context, DecoderFacts facts, bool gated)
    {
        if (context.Config.Nested("vision_config") is not { } config)
            return;
        var builder = context.Builder;
        long hidden = gated ? config.Width("hidden_size", 1280) : config.Width("embed_dim", 1280);
        var width = gated ? config.Width("intermediate_size", 3420) : checked(hidden * config.Count("mlp_ratio", 4));
        long patch = config.TryWidth("patch_size", "spatial_patch_size") ?? 14, merge = config.Count("spatial_merge_size", 2), output = facts.Hidden;
        builder.AllAs(TensorRole.Tower);
        builder.Tensor("visual.patch_embed.proj.weight", TensorRole.Tower, hidden, config.TryWidth("in_channels", "in_chans") ?? 3, config.Count("temporal_patch_size", 2), patch, patch);
        for (var index = 0; index < config.Count("depth", 32); index++)
        {
            var block = $"visual.blocks.{index}.";
            builder.Norm(block + "norm1", hidden, bias: !gated);
            builder.Norm(block + "norm2", hidden, bias: !gated);
            builder.Linear(block + "attn.qkv", 3 * hidden, hidden, TensorRole.Tower, bias: true);
            builder.Linear(block + "attn.proj", hidden, hidden, TensorRole.Tower, bias: true);
            var style = gated ? new FeedForwardStyle { Bias = true, DownBias = true } : FeedForwardStyle.Plain("fc1", "fc2", bias: true);
            Decoder.Matrices(builder, block + "mlp.", style, hidden, width, TensorRole.Tower);
        }
        var merged = hidden * merge * merge;
        builder.Norm("visual.merger.ln_q", hidden, bias: !gated);
        builder.Linear("visual.merger.mlp.0", merged, merged, TensorRole.Tower, bias: true);
        builder.Linear("visual.merger.mlp.2", output, merged, TensorRole.Tower, bias: true);
        builder.AllAs(null);
    }

    /// <param name="deepLayers">Layers whose features enter the language model beside the last one (DeepStack), unless the configuration lists them.</param>
    private static void WriteTower3(ArchitectureContext context, int deepLayers)
    {
        if (context.Config.Nested("vision_config") is not { } config)
            return;
        const string Prefix = "model.visual.";
        var builder = context.Builder;
        long hidden = config.Width("hidden_size", 1152), width = config.Width("intermediate_size", 4304), patch = config.Width("patch_size", 16), merge = config.Count("spatial_merge_size", 2);
        long merged = hidden * merge * merge, output = config.Width("out_hidden_size");
        builder.AllAs(TensorRole.Tower);
        builder.Tensor(Prefix + "patch_embed.proj.weight", TensorRole.Tower, hidden, config.Width("in_channels", 3), config.Count("temporal_patch_size", 2), patch, patch);
        builder.Tensor(Prefix + "patch_embed.proj.bias", TensorRole.Tower, hidden);
        builder.Tensor(Prefix + "pos_embed.weight", TensorRole.Tower, config.Width("num_position_embeddings", 2304), hidden);
        for (var index = 0; index < config.Count("depth", 27); index++)
        {
            var block = $"{Prefix}blocks.{index}.";
            builder.Norm(block + "norm1", hidden, bias: true);
            builder.Norm(block + "norm2", hidden, bias: true);
            builder.Linear(block + "attn.qkv", 3 * hidden, hidden, TensorRole.Tower, bias: true);
            builder.Linear(block + "attn.proj", hidden, hidden, TensorRole.Tower, bias: true);
            builder.Linear(block + "mlp.linear_fc1", width, hidden, TensorRole.Tower, bias: true);
            builder.Linear(block + "mlp.linear_fc2", hidden, width, TensorRole.Tower, bias: true);
        }
        WriteMerger(builder, Prefix + "merger.", hidden, merged, output);
        deepLayers = config.Integers("deepstack_visual_indexes")?.Length ?? deepLayers;
        for (var index = 0; index < deepLayers; index++)
            WriteMerger(builder, $"{Prefix}deepstack_merger_list.{index}.", merged, merged, output);
        builder.AllAs(null);
    }

    private static void WriteMerger(ShapeBuilder builder, string prefix, long normed, long merged, long output)
    {
        builder.Norm(prefix + "norm", normed, bias: true);
        builder.Linear(prefix + "linear_fc1", merged, merged, TensorRole.Tower, bias: true);
        builder.Linear(prefix + "linear_fc2", output, merged, TensorRole.Tower, bias: true);
    }
}

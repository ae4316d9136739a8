namespace Plimsoll.Models.Architectures;

/// <summary>Families of one or two models each: ERNIE 4.5, Hunyuan, MiMo, MiniMax-Text-01, EXAONE 3.</summary>
internal static class Various
{
    /// <summary>ERNIE 4.5, dense: Llama.</summary>
    public static DecoderFacts WriteErnie(ArchitectureContext context)
    {
        var bias = context.Config.Flag("use_bias", false);
        return context.Write(context.Facts(tied: true), new()
        {
            Attention = new() { InputBias = bias, OutputBias = bias },
            FeedForward = new() { Bias = bias, DownBias = bias },
        });
    }

    /// <summary>ERNIE 4.5 with experts.</summary>
    public static DecoderFacts WriteErnieMoe(ArchitectureContext context)
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

    /// <summary>Hunyuan dense (0.5B to 7B): Llama with query and key norms.</summary>
    public static DecoderFacts WriteHunyuan(ArchitectureContext context)
    {
        var style = Llama.Style(context);
        var norms = context.Config.Flag("use_qk_norm", true) ? QueryKeyNorm.SharedByHeads : QueryKeyNorm.None;
        return context.Write(context.Facts(tied: true), style with
        {
            Attention = style.Attention with { QueryKeyNorm = norms, QueryNorm = "query_layernorm", KeyNorm = "key_layernorm" },
        });
    }

    /// <summary>Hunyuan-A13B: experts in every layer with shared ones.</summary>
    public static DecoderFacts WriteHunyuanMoe(ArchitectureContext context)
    {
        var config = context.Config;
        var facts = context.Facts(tied: true);
        var style = Llama.Style(context);
        var width = First(context, "moe_intermediate_size") ?? facts.FeedForward;
        var shared = checked((First(context, "num_shared_expert") ?? 0) * facts.FeedForward);
        var experts = new ExpertShape(config.Count("num_experts"), First(context, "moe_topk") ?? throw config.Missing("moe_topk"), width, shared);
        var names = new ExpertStyle { Router = "mlp.gate.wg", Shared = "mlp.shared_mlp." };
        return context.Write(facts, style with
        {
            Attention = style.Attention with { QueryKeyNorm = config.Flag("use_qk_norm", true) ? QueryKeyNorm.SharedByHeads : QueryKeyNorm.None, QueryNorm = "query_layernorm", KeyNorm = "key_layernorm" },
            LayerFeedForward = layer => Decoder.Experts(layer, names, experts),
        });
    }

    /// <summary>MiMo-7B: Qwen 2 with MTP layers.</summary>
    public static DecoderFacts WriteMiMo(ArchitectureContext context)
    {
        var facts = context.Facts();
        var style = new DecoderStyle { Attention = new() { InputBias = context.Config.Flag("attention_bias", true) } };
        context.Write(facts, style);
        var builder = context.Builder;
        builder.AllAs(TensorRole.NextToken);
        for (var index = 0; index < context.Config.Count("num_nextn_predict_layers", 0); index++)
        {
            var prefix = $"{context.Trunk()}mtp_layers.{index}.";
            Decoder.WriteTensors(new(builder, facts, style, index, prefix));
            builder.Norm(prefix + "token_layernorm", facts.Hidden);
            builder.Norm(prefix + "hidden_layernorm", facts.Hidden);
            builder.Norm(prefix + "final_layernorm", facts.Hidden);
            builder.Linear(prefix + "input_proj", facts.Hidden, 2L * facts.Hidden, TensorRole.Other);
        }
        builder.AllAs(null);
        return facts;
    }

    /// <summary>MiniMax-Text-01 and M1: lightning attention (a heads × dim × dim state) in seven layers of eight.</summary>
    public static DecoderFacts WriteMiniMax(ArchitectureContext context)
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

    /// <summary>EXAONE 3: Llama under GPT-2's names.</summary>
    public static DecoderFacts WriteExaone(ArchitectureContext context) => context.Write(context.Facts(), new()
    {
        Embedding = "wte",
        LayersFolder = "h.",
        FinalNorm = "ln_f",
        LayerNorms = ["ln_1", "ln_2"],
        AttentionFolder = "attn.attention.",
        Attention = new() { Output = "out_proj" },
        FeedForward = new() { Gate = "c_fc_0", Up = "c_fc_1", Down = "c_proj" },
    }, "transformer.");

    /// <summary>A number, or the first of a list of one per layer that are all the same.</summary>
    private static int? First(ArchitectureContext context, string name)
    {
        if (!context.Config.Root.TryGetProperty(name, out var value) || value.ValueKind != System.Text.Json.JsonValueKind.Array)
            return context.Config.TryWidth(name);
        var list = context.Config.Integers(name)!.Value;
        if (list.IsEmpty || list.Any(item => item != list[0]))
            throw new UnknownArchitectureException(context.ModelType, $"{name} differs between layers", null);
        return list[0];
    }
}

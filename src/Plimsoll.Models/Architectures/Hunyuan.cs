namespace Plimsoll.Models.Architectures;

/// <summary>Hunyuan, dense and with experts.</summary>
internal static class Hunyuan
{
    /// <summary>Hunyuan dense (0.5B to 7B): Llama with query and key norms.</summary>
    public static DecoderFacts Write(ArchitectureContext context)
    {
        var style = Llama.Style(context);
        var norms = context.Config.Flag("use_qk_norm", true) ? QueryKeyNorm.SharedByHeads : QueryKeyNorm.None;
        return context.Write(context.Facts(tied: true), style with
        {
            Attention = style.Attention with { QueryKeyNorm = norms, QueryNorm = "query_layernorm", KeyNorm = "key_layernorm" },
        });
    }

    /// <summary>Hunyuan-A13B: experts in every layer with shared ones.</summary>
    public static DecoderFacts WriteMoe(ArchitectureContext context)
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

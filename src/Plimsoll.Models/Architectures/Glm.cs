using Plimsoll.Models.Configuration;

namespace Plimsoll.Models.Architectures;

/// <summary>ChatGLM 2 to 4, GLM-4 and GLM-4.5 to 4.7. GLM-5 is DeepSeek-V3.2 in its tensors.</summary>
internal static class Glm
{
    private static readonly ExpertStyle Experts = new() { Shared = "mlp.shared_experts.", Correction = "mlp.gate.e_score_correction_bias" };

    /// <summary>ChatGLM2, ChatGLM3, GLM-4-9B in its first form: groups of key-value heads, other names.</summary>
    public static DecoderFacts WriteChatGlm(ArchitectureContext context)
    {
        var config = context.Config;
        var facts = context.Facts();
        if (!config.Flag("multi_query_attention", false))
            facts = facts with { KeyValueHeads = facts.Heads };
        context.Builder.Tensor("transformer.rotary_pos_emb.inv_freq", TensorRole.Other, facts.HeadDim / 4);
        var (builder, trunk) = (context.Builder, "transformer.encoder.");
        builder.Tensor("transformer.embedding.word_embeddings.weight", TensorRole.Embedding, facts.Vocabulary, facts.Hidden);
        var style = new DecoderStyle
        {
            AttentionFolder = "self_attention.",
            Attention = new()
            {
                Fused = "query_key_value",
                Output = "dense",
                InputBias = config.Flag("add_qkv_bias", false) || config.Flag("add_bias_linear", false),
                OutputBias = config.Flag("add_bias_linear", false),
            },
            FeedForward = new() { Gate = null, Up = "dense_h_to_4h", Down = "dense_4h_to_h", FusedGateUp = true },
        };
        for (var index = 0; index < facts.Layers; index++)
            Decoder.WriteLayer(new(builder, facts, style, index, $"{trunk}layers.{index}."));
        builder.At(null);
        builder.Norm(trunk + "final_layernorm", facts.Hidden);
        Decoder.WriteHead(builder, facts, "transformer.output_layer");
        return facts;
    }

    /// <summary>GLM-4-9B in the form of the transformers library, GLM-Edge.</summary>
    public static DecoderFacts WriteGlm(ArchitectureContext context) => context.Write(context.Facts(), Style(context));

    /// <summary>GLM-4-0414: four norms a layer.</summary>
    public static DecoderFacts WriteGlm4(ArchitectureContext context) =>
        context.Write(context.Facts(), Style(context) with { LayerNorms = ["input_layernorm", "post_self_attn_layernorm", "post_attention_layernorm", "post_mlp_layernorm"] });

    /// <summary>GLM-4.5 to 4.7: experts as in DeepSeek-V3, ordinary attention.</summary>
    public static DecoderFacts WriteGlm4Moe(ArchitectureContext context)
    {
        var facts = context.Facts();
        var style = GroupedStyle(context.Config);
        context.Write(facts, style);
        // GLM-4.5 repeats embedding and head in its MTP layer, GLM-4.6 does not; nothing in their configurations tells. The catalog states it with the key that Qwen3.5 uses.
        Deepseek.WriteNextToken(context, facts, style, ownEmbedding: context.Config.Flag("mtp_use_dedicated_embeddings", true));
        return facts;
    }

    /// <summary>dots.llm1: GLM-4.5's tensors with query and key norms.</summary>
    public static DecoderFacts WriteDots1(ArchitectureContext context) => context.Write(context.Facts(), GroupedStyle(context.Config) with
    {
        Attention = new() { InputBias = context.Config.Flag("attention_bias", false), OutputBias = context.Config.Flag("attention_bias", false), QueryKeyNorm = QueryKeyNorm.SharedByHeads },
    });

    private static DecoderStyle GroupedStyle(ConfigReader config) => new()
    {
        Attention = new()
        {
            InputBias = config.Flag("attention_bias", false),
            QueryKeyNorm = config.Flag("use_qk_norm", false) ? QueryKeyNorm.SharedByHeads : QueryKeyNorm.None,
        },
        LayerFeedForward = Deepseek.FeedForward(config, Experts),
    };

    private static DecoderStyle Style(ArchitectureContext context) => new()
    {
        Attention = new() { InputBias = context.Config.Flag("attention_bias", true) },
        FeedForward = new() { Gate = null, Up = "gate_up_proj", FusedGateUp = true },
    };
}

namespace Plimsoll.Models.Architectures;

/// <summary>Llama 1 to 3 and the many that differ from it by a bias or by the names of the norms.</summary>
internal static class Llama
{
    /// <summary>Llama, Yi, SmolLM, DeepSeek LLM and Coder v1, Vicuna, TinyLlama, Granite 3 and others with the same tensors.</summary>
    public static DecoderFacts Write(ArchitectureContext context) => context.Write(context.Facts(), Style(context));

    /// <summary>Mistral: Llama with a sliding window in every layer where the configuration states one (v0.1: 4096).</summary>
    public static DecoderFacts WriteMistral(ArchitectureContext context)
    {
        var facts = context.Facts();
        return context.Write(facts, Style(context) with { Window = Windows.Read(context.Config, facts.Layers, _ => true) });
    }

    /// <summary>Granite: Llama whose head is tied unless stated otherwise.</summary>
    public static DecoderFacts WriteTied(ArchitectureContext context) => context.Write(context.Facts(tied: true), Style(context));

    /// <summary>SmolLM3: no rotary embedding in every fourth layer; the tensors are Llama's.</summary>
    public static DecoderFacts WriteSmolLm3(ArchitectureContext context)
    {
        var facts = context.Facts(tied: true);
        var slides = context.Config.Flag("use_sliding_window", false);
        return context.Write(facts, Style(context) with { Window = slides ? Windows.Read(context.Config, facts.Layers, _ => false) : null });
    }

    /// <summary>Arcee: a plain feed-forward part with a squared ReLU.</summary>
    public static DecoderFacts WriteArcee(ArchitectureContext context) =>
        context.Write(context.Facts(), Style(context) with { FeedForward = FeedForwardStyle.Plain("up_proj", "down_proj", context.Config.Flag("mlp_bias", false)) });

    /// <summary>Seed-OSS: biases on queries, keys and values, none on the output unless stated.</summary>
    public static DecoderFacts WriteSeedOss(ArchitectureContext context)
    {
        var config = context.Config;
        var style = Style(context);
        return context.Write(context.Facts(), style with
        {
            Attention = style.Attention with { InputBias = config.Flag("attention_bias", true), OutputBias = config.Flag("attention_out_bias", false) },
        });
    }

    /// <summary>InternLM 1: <c>bias</c> puts a bias on all four projections.</summary>
    public static DecoderFacts WriteInternLm(ArchitectureContext context)
    {
        var bias = context.Config.Flag("bias", true);
        return context.Write(context.Facts(), new() { Attention = new() { InputBias = bias, OutputBias = bias } });
    }

    /// <summary>InternLM 2: other names, queries, keys and values in one tensor.</summary>
    public static DecoderFacts WriteInternLm2(ArchitectureContext context)
    {
        var bias = context.Config.Flag("bias", false);
        return context.Write(context.Facts(), new()
        {
            Embedding = "tok_embeddings",
            Head = "output",
            AttentionFolder = "attention.",
            Attention = new() { Fused = "wqkv", Output = "wo", InputBias = bias, OutputBias = bias },
            FeedForwardFolder = "feed_forward.",
            FeedForward = new() { Gate = "w1", Up = "w3", Down = "w2" },
            LayerNorms = ["attention_norm", "ffn_norm"],
        });
    }

    /// <summary>Baichuan: queries, keys and values packed in <c>W_pack</c>.</summary>
    public static DecoderFacts WriteBaichuan(ArchitectureContext context) => context.Write(context.Facts(), new() { Attention = new() { Fused = "W_pack" } });

    /// <summary>Orion and others: Llama with LayerNorm.</summary>
    public static DecoderFacts WriteOrion(ArchitectureContext context) => context.Write(context.Facts(), Style(context) with { NormBias = true });

    /// <summary>Apertus: Llama with query and key norms, other norm names and a plain feed-forward part with a learned activation (xIELU: two scalars a layer).</summary>
    public static DecoderFacts WriteApertus(ArchitectureContext context)
    {
        var style = Style(context);
        return context.Write(context.Facts(), style with
        {
            Attention = style.Attention with { QueryKeyNorm = QueryKeyNorm.SharedByHeads },
            LayerNorms = ["attention_layernorm", "feedforward_layernorm"],
            FeedForward = FeedForwardStyle.Plain("up_proj", "down_proj", bias: false),
            LayerFeedForward = layer =>
            {
                layer.Builder.Tensor(layer.Prefix + "mlp.act_fn.alpha_p", TensorRole.Other, 1);
                layer.Builder.Tensor(layer.Prefix + "mlp.act_fn.alpha_n", TensorRole.Other, 1);
                return Decoder.Dense(layer, layer.Facts.FeedForward);
            },
        });
    }

    public static DecoderStyle Style(ArchitectureContext context)
    {
        var attention = context.Config.Flag("attention_bias", false);
        var feedForward = context.Config.Flag("mlp_bias", false);
        return new()
        {
            Attention = new() { InputBias = attention, OutputBias = attention },
            FeedForward = new() { Bias = feedForward, DownBias = feedForward },
        };
    }
}

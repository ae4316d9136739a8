namespace Plimsoll.Models.Architectures;

/// <summary>GPT-2, GPT-Neo, GPT-J, GPT-NeoX (Pythia), StarCoder 1: LayerNorm, plain feed-forward parts, mostly biases everywhere.</summary>
internal static class Gpt
{
    /// <summary>GPT-2. Its layers are stored transposed, (inputs, outputs).</summary>
    public static DecoderFacts WriteGpt2(ArchitectureContext context)
    {
        var facts = ReadFacts(context, tied: true);
        var builder = context.Builder;
        var trunk = context.Trunk("transformer.");
        WritePositions(context, facts, trunk);
        for (var index = 0; index < facts.Layers; index++)
        {
            builder.At(index);
            var prefix = $"{trunk}h.{index}.";
            builder.Norm(prefix + "ln_1", facts.Hidden, bias: true);
            Transposed(builder, prefix + "attn.c_attn", facts.Hidden, 3L * facts.Hidden, TensorRole.Attention);
            Transposed(builder, prefix + "attn.c_proj", facts.Hidden, facts.Hidden, TensorRole.Attention);
            builder.Norm(prefix + "ln_2", facts.Hidden, bias: true);
            Transposed(builder, prefix + "mlp.c_fc", facts.Hidden, facts.FeedForward, TensorRole.FeedForward);
            Transposed(builder, prefix + "mlp.c_proj", facts.FeedForward, facts.Hidden, TensorRole.FeedForward);
            builder.AddLayer(new() { Attention = Attention(facts), FeedForward = new(facts.FeedForward, Gated: false) });
        }
        builder.At(null);
        builder.Norm(trunk + "ln_f", facts.Hidden, bias: true);
        Decoder.WriteHead(builder, facts, context.Head());
        return facts;
    }

    /// <summary>StarCoder 1 and SantaCoder: GPT-2 names with ordinary layers and one key-value head.</summary>
    public static DecoderFacts WriteBigCode(ArchitectureContext context)
    {
        var facts = ReadFacts(context, tied: true);
        if (context.Config.Flag("multi_query", true))
            facts = facts with { KeyValueHeads = 1 };
        context.Builder.Tensor(context.Trunk("transformer.") + "wpe.weight", TensorRole.PositionEmbedding, facts.MaxContext ?? 0, facts.Hidden);
        return context.Write(facts, new()
        {
            Embedding = "wte",
            LayersFolder = "h.",
            FinalNorm = "ln_f",
            NormBias = true,
            LayerNorms = ["ln_1", "ln_2"],
            AttentionFolder = "attn.",
            Attention = new() { Fused = "c_attn", Output = "c_proj", InputBias = true, OutputBias = true },
            FeedForward = FeedForwardStyle.Plain("c_fc", "c_proj", bias: true),
        }, "transformer.");
    }

    /// <summary>GPT-Neo: every second layer attends through a window of 256 tokens.</summary>
    public static DecoderFacts WriteNeo(ArchitectureContext context)
    {
        var facts = ReadFacts(context, tied: true);
        var kinds = context.Config.Texts("attention_layers", facts.Layers);
        var window = context.Config.TryTokens("window_size") ?? 256;
        context.Builder.Tensor(context.Trunk("transformer.") + "wpe.weight", TensorRole.PositionEmbedding, facts.MaxContext ?? 0, facts.Hidden);
        return context.Write(facts, new()
        {
            Embedding = "wte",
            LayersFolder = "h.",
            FinalNorm = "ln_f",
            NormBias = true,
            LayerNorms = ["ln_1", "ln_2"],
            AttentionFolder = "attn.attention.",
            Attention = new() { Output = "out_proj", OutputBias = true },
            FeedForward = FeedForwardStyle.Plain("c_fc", "c_proj", bias: true),
            Window = layer => (kinds is { } list ? list[layer] == "local" : layer % 2 == 1) ? window : null,
        }, "transformer.");
    }

    /// <summary>GPT-J: attention and feed-forward side by side behind one norm; a bias on the head.</summary>
    public static DecoderFacts WriteJ(ArchitectureContext context) => context.Write(ReadFacts(context, tied: false), new()
    {
        Embedding = "wte",
        LayersFolder = "h.",
        FinalNorm = "ln_f",
        NormBias = true,
        LayerNorms = ["ln_1"],
        AttentionFolder = "attn.",
        Attention = new() { Output = "out_proj" },
        FeedForward = FeedForwardStyle.Plain("fc_in", "fc_out", bias: true),
        HeadBias = true,
    }, "transformer.");

    /// <summary>GPT-NeoX, Pythia, StableLM Alpha, RedPajama-INCITE, Dolly 2.</summary>
    public static DecoderFacts WriteNeoX(ArchitectureContext context)
    {
        var bias = context.Config.Flag("attention_bias", true);
        return context.Write(context.Facts(), new()
        {
            Embedding = "embed_in",
            FinalNorm = "final_layer_norm",
            Head = "embed_out",
            NormBias = true,
            AttentionFolder = "attention.",
            Attention = new() { Fused = "query_key_value", Output = "dense", InputBias = bias, OutputBias = bias },
            FeedForward = FeedForwardStyle.Plain("dense_h_to_4h", "dense_4h_to_h", bias: true),
        }, "gpt_neox.");
    }

    private static DecoderFacts ReadFacts(ArchitectureContext context, bool tied)
    {
        var facts = context.Facts(tied);
        return facts.FeedForward == 0 ? facts with { FeedForward = 4 * facts.Hidden } : facts;
    }

    private static void WritePositions(ArchitectureContext context, DecoderFacts facts, string trunk)
    {
        context.Builder.Tensor(trunk + "wte.weight", TensorRole.Embedding, facts.Vocabulary, facts.Hidden);
        context.Builder.Tensor(trunk + "wpe.weight", TensorRole.PositionEmbedding, facts.MaxContext ?? throw context.Config.Missing("n_positions"), facts.Hidden);
    }

    private static AttentionShape Attention(DecoderFacts facts) =>
        new() { Heads = facts.Heads, KeyValueHeads = facts.KeyValueHeads, KeyHeadDim = facts.HeadDim, ValueHeadDim = facts.HeadDim };

    private static void Transposed(ShapeBuilder builder, string name, long inputs, long outputs, TensorRole role)
    {
        builder.TransposedLinear(name + ".weight", inputs, outputs, role);
        builder.Tensor(name + ".bias", role, outputs);
    }
}

using static Plimsoll.Quantization.Tests.Gguf.ReferenceMath;

namespace Plimsoll.Quantization.Tests.Gguf;

/// <summary>The architectures of <see cref="TinyConfigs"/> as the transformers library computes them.</summary>
internal static class ReferenceStyles
{
    private static readonly ReferenceStyle Gemma = new()
    {
        Head = null, NormAddend = 1, Activation = Gelu, EmbeddingScale = 16,
    };

    private static readonly ReferenceStyle Gemma2 = Gemma with
    {
        NormBehindAttention = "post_attention_layernorm", NormBeforeFeedForward = "pre_feedforward_layernorm", NormBehindFeedForward = "post_feedforward_layernorm",
        ScoreCap = 50, LogitCap = 30,
    };

    public static readonly IReadOnlyDictionary<string, ReferenceStyle> ByModelType = new Dictionary<string, ReferenceStyle>
    {
        ["llama"] = new() { Theta = 500000 },
        ["mistral"] = new() { HeadDim = 32 },
        ["mixtral"] = new()
        {
            Theta = 1e6,
            Experts = (model, x, prefix) => Routed(Softmax(model.Linear(prefix + "block_sparse_moe.gate", x)), normalized: true, expert =>
            {
                var folder = $"{prefix}block_sparse_moe.experts.{expert}.";
                return model.Gated(model.Linear(folder + "w1", x), model.Linear(folder + "w3", x), folder + "w2");
            }),
        },
        ["smollm3"] = new() { Theta = 5e6, Head = null },
        ["granite"] = new() { Head = null, AttentionScale = 0.02, EmbeddingScale = 12, ResidualScale = 0.22, LogitDivisor = 8 },
        ["qwen2"] = new() { Theta = 1e6, Head = null },
        ["qwen3"] = new() { Theta = 1e6, Head = null, HeadDim = 128, HeadNorm = "shared" },
        ["qwen3_moe"] = new()
        {
            Theta = 1e6, HeadDim = 128, HeadNorm = "shared",
            Experts = (model, x, prefix) => Routed(Softmax(model.Linear(prefix + "mlp.gate", x)), normalized: true, expert => Expert(model, x, $"{prefix}mlp.experts.{expert}.")),
        },
        ["gemma"] = Gemma,
        ["gemma2"] = Gemma2,
        // Both layers have windows, and the base that goes with them.
        ["gemma3_text"] = Gemma2 with { ScoreCap = 0, LogitCap = 0, HeadNorm = "shared" },
        ["phi3"] = new() { Fused = "qkv_proj", SplitFused = qkv => (qkv[..256], qkv[256..384], qkv[384..]), FusedGateUp = "gate_up_proj" },
        ["gpt2"] = new()
        {
            Trunk = "transformer.", Embedding = "wte", Layers = "h.", FinalNorm = "ln_f", Head = null, Positions = "transformer.wpe.weight", Theta = 0, LayerNorm = true, Transposed = true,
            NormBefore = "ln_1", NormBeforeFeedForward = "ln_2", AttentionFolder = "attn.", Fused = "c_attn", SplitFused = qkv => (qkv[..256], qkv[256..512], qkv[512..]), Output = "c_proj",
            Gate = null, Up = "c_fc", Down = "c_proj", Activation = Gelu,
        },
        ["gpt_neox"] = new()
        {
            Trunk = "gpt_neox.", Embedding = "embed_in", FinalNorm = "final_layer_norm", Head = "embed_out", Rotated = 16, LayerNorm = true, Parallel = true,
            AttentionFolder = "attention.", Output = "dense", Fused = "query_key_value",
            // (head, part, element).
            SplitFused = qkv => (Parts(qkv, 3, 0), Parts(qkv, 3, 1), Parts(qkv, 3, 2)),
            Gate = null, Up = "dense_h_to_4h", Down = "dense_4h_to_h", Activation = Gelu,
        },
        ["falcon"] = new()
        {
            Trunk = "transformer.", Embedding = "word_embeddings", Layers = "h.", FinalNorm = "ln_f", Head = null, LayerNorm = true, Parallel = true,
            NormBefore = "ln_attn", NormBeforeFeedForward = "ln_mlp", AttentionFolder = "self_attention.", Output = "dense", Fused = "query_key_value",
            // (group, two queries, a key and a value, element).
            SplitFused = qkv => ([.. qkv.Chunk(64).Where((_, head) => head % 4 < 2).SelectMany(head => head)], Parts(qkv, 4, 2), Parts(qkv, 4, 3)),
            Gate = null, Up = "dense_h_to_4h", Down = "dense_4h_to_h", Activation = Gelu,
        },
        ["stablelm"] = new() { Rotated = 16, LayerNorm = true, Parallel = true, NormBeforeFeedForward = null, HeadNorm = "own" },
        ["olmo2"] = new()
        {
            Theta = 500000, WholeQueryKeyNorm = true, NormBefore = null, NormBehindAttention = "post_attention_layernorm", NormBeforeFeedForward = null, NormBehindFeedForward = "post_feedforward_layernorm",
        },
        ["deepseek_v2"] = new()
        {
            Latent = true, FirstExpertLayer = 1,
            Experts = (model, x, prefix) => Add(
                Routed(Softmax(model.Linear(prefix + "mlp.gate", x)), normalized: false, expert => Expert(model, x, $"{prefix}mlp.experts.{expert}.")),
                Expert(model, x, prefix + "mlp.shared_experts.")),
        },
        ["glm4"] = new()
        {
            Rotated = 32, RotatesNeighbours = true, NormBehindAttention = "post_self_attn_layernorm", NormBehindFeedForward = "post_mlp_layernorm", FusedGateUp = "gate_up_proj",
        },
        ["gpt_oss"] = new() { Theta = 150000, Sinks = true, Experts = (model, x, prefix) => GptOssExperts(model, x, prefix + "mlp.") },
    };

    public static double[] Expert(ReferenceModel model, double[] x, string folder) => model.Gated(model.Linear(folder + "gate_proj", x), model.Linear(folder + "up_proj", x), folder + "down_proj");

    /// <summary>The two experts with the largest weights, or with the largest of other numbers.</summary>
    public static double[] Routed(double[] weights, bool normalized, Func<int, double[]> expert, double[]? choice = null, double scale = 1)
    {
        var chosen = Enumerable.Range(0, weights.Length).OrderByDescending(index => (choice ?? weights)[index]).Take(2).ToArray();
        var total = (normalized ? chosen.Sum(index => weights[index]) : 1) / scale;
        return chosen.Select(index => (Output: expert(index), Weight: weights[index] / total)).Aggregate(new double[256], (sum, each) => Add(sum, each.Output, each.Weight));
    }

    /// <summary>Softmax over the chosen only; gate and up in turn; a clamped gate with a steeper sigmoid. Matrices are (experts, in, out).</summary>
    private static double[] GptOssExperts(ReferenceModel model, double[] x, string folder)
    {
        var scores = model.Linear(folder + "router", x);
        return Routed(Softmax(scores), normalized: true, expert =>
        {
            var both = Stacked(model, folder + "experts.gate_up_proj", expert, x);
            var hidden = new double[512];
            for (var index = 0; index < hidden.Length; index++)
            {
                var (gate, up) = (Math.Min(both[2 * index], 7), Math.Clamp(both[2 * index + 1], -7, 7));
                hidden[index] = (up + 1) * gate / (1 + Math.Exp(-1.702 * gate));
            }
            return Stacked(model, folder + "experts.down_proj", expert, hidden);
        });
    }

    private static double[] Stacked(ReferenceModel model, string name, int expert, double[] x)
    {
        var bias = model.Values(name + "_bias");
        var width = bias.Length / 4;
        var weight = model.Values(name).AsSpan(expert * x.Length * width, x.Length * width);
        var result = new double[width];
        for (var output = 0; output < width; output++)
        {
            result[output] = bias[expert * width + output];
            for (var input = 0; input < x.Length; input++)
                result[output] += x[input] * weight[input * width + output];
        }
        return result;
    }

    /// <summary>Of heads of 64 elements those that are number <paramref name="part"/> of every <paramref name="count"/>.</summary>
    private static double[] Parts(double[] fused, int count, int part) => [.. fused.Chunk(64).Where((_, index) => index % count == part).SelectMany(head => head)];
}

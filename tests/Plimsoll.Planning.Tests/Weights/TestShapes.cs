using System.Collections.Immutable;
using Plimsoll.Models;

namespace Plimsoll.Planning.Tests.Weights;

/// <summary>Model shapes written down by hand, so that these tests do not depend on how a configuration is read.</summary>
internal static class TestShapes
{
    public static ModelShape Llama31_8B => Dense("llama", hidden: 4096, layers: 32, heads: 32, keyValueHeads: 8, width: 14336, vocabulary: 128256, context: 131072);

    public static ModelShape Llama3_8B => Dense("llama", hidden: 4096, layers: 32, heads: 32, keyValueHeads: 8, width: 14336, vocabulary: 128256, context: 8192);

    public static ModelShape Llama31_70B => Dense("llama", hidden: 8192, layers: 80, heads: 64, keyValueHeads: 8, width: 28672, vocabulary: 128256, context: 131072);

    public static ModelShape Llama2_70B => Dense("llama", hidden: 8192, layers: 80, heads: 64, keyValueHeads: 8, width: 28672, vocabulary: 32000, context: 4096);

    public static ModelShape Llama2_7B => Dense("llama", hidden: 4096, layers: 32, heads: 32, keyValueHeads: 32, width: 11008, vocabulary: 32000, context: 4096);

    public static ModelShape Llama2_13B => Dense("llama", hidden: 5120, layers: 40, heads: 40, keyValueHeads: 40, width: 13824, vocabulary: 32000, context: 4096);

    public static ModelShape Qwen3_0_6B => Dense("qwen3", hidden: 1024, layers: 28, heads: 16, keyValueHeads: 8, width: 3072, vocabulary: 151936, context: 40960, headDim: 128, queryKeyNorm: true);

    public static ModelShape Qwen3_14B => Dense("qwen3", hidden: 5120, layers: 40, heads: 40, keyValueHeads: 8, width: 17408, vocabulary: 151936, context: 40960, queryKeyNorm: true);

    /// <summary>A decoder of the Llama kind: separate projections, gated feed-forward part.</summary>
    public static ModelShape Dense(
        string architecture, int hidden, int layers, int heads, int keyValueHeads, int width, int vocabulary, int context,
        bool tied = false, int? headDim = null, bool inputBias = false, bool queryKeyNorm = false)
    {
        var head = headDim ?? hidden / heads;
        var tensors = ImmutableArray.CreateBuilder<TensorShape>();
        tensors.Add(Tensor("model.embed_tokens.weight", TensorRole.Embedding, null, vocabulary, hidden));
        for (var layer = 0; layer < layers; layer++)
        {
            var at = $"model.layers.{layer}.";
            foreach (var (name, rows) in ((string, int)[])[("q", heads * head), ("k", keyValueHeads * head), ("v", keyValueHeads * head)])
            {
                tensors.Add(Linear($"{at}self_attn.{name}_proj.weight", TensorRole.Attention, layer, rows, hidden));
                if (inputBias)
                    tensors.Add(Tensor($"{at}self_attn.{name}_proj.bias", TensorRole.Attention, layer, rows));
            }
            tensors.Add(Linear(at + "self_attn.o_proj.weight", TensorRole.Attention, layer, hidden, heads * head));
            if (queryKeyNorm)
            {
                tensors.Add(Tensor(at + "self_attn.q_norm.weight", TensorRole.Norm, layer, head));
                tensors.Add(Tensor(at + "self_attn.k_norm.weight", TensorRole.Norm, layer, head));
            }
            tensors.Add(Linear(at + "mlp.gate_proj.weight", TensorRole.FeedForward, layer, width, hidden));
            tensors.Add(Linear(at + "mlp.up_proj.weight", TensorRole.FeedForward, layer, width, hidden));
            tensors.Add(Linear(at + "mlp.down_proj.weight", TensorRole.FeedForward, layer, hidden, width));
            tensors.Add(Tensor(at + "input_layernorm.weight", TensorRole.Norm, layer, hidden));
            tensors.Add(Tensor(at + "post_attention_layernorm.weight", TensorRole.Norm, layer, hidden));
        }
        tensors.Add(Tensor("model.norm.weight", TensorRole.Norm, null, hidden));
        if (!tied)
            tensors.Add(Linear("lm_head.weight", TensorRole.OutputHead, null, vocabulary, hidden));
        var attention = new AttentionShape { Heads = heads, KeyValueHeads = keyValueHeads, KeyHeadDim = head, ValueHeadDim = head };
        return Model(architecture, hidden, vocabulary, context, tied, tensors, Enumerable.Repeat(new LayerShape { Attention = attention, FeedForward = new(width, true) }, layers));
    }

    /// <summary>A mixture of experts of the Mixtral kind (<c>mlp.experts.*</c>).</summary>
    public static ModelShape Experts(string architecture, int hidden, int layers, int heads, int keyValueHeads, int experts, int width, int vocabulary, bool queryKeyNorm = false, int? headDim = null)
    {
        var dense = Dense(architecture, hidden, layers, heads, keyValueHeads, 64, vocabulary, 32768, headDim: headDim, queryKeyNorm: queryKeyNorm);
        var tensors = dense.Tensors.Where(tensor => tensor.Role != TensorRole.FeedForward).ToList();
        for (var layer = 0; layer < layers; layer++)
        {
            var at = $"model.layers.{layer}.mlp.";
            tensors.Add(Linear(at + "gate.weight", TensorRole.Router, layer, experts, hidden));
            tensors.Add(Linear(at + "experts.*.gate_proj.weight", TensorRole.Expert, layer, width, hidden) with { Count = experts, ActiveCount = 2 });
            tensors.Add(Linear(at + "experts.*.up_proj.weight", TensorRole.Expert, layer, width, hidden) with { Count = experts, ActiveCount = 2 });
            tensors.Add(Linear(at + "experts.*.down_proj.weight", TensorRole.Expert, layer, hidden, width) with { Count = experts, ActiveCount = 2 });
        }
        return dense with
        {
            Tensors = [.. tensors],
            Layers = [.. dense.Layers.Select(layer => layer with { FeedForward = new(0, true, new(experts, 2, width, 0)) })],
        };
    }

    private static ModelShape Model(string architecture, int hidden, int vocabulary, int context, bool tied, IEnumerable<TensorShape> tensors, IEnumerable<LayerShape> layers) => new()
    {
        Id = "test",
        Architecture = architecture,
        HiddenSize = hidden,
        VocabularySize = vocabulary,
        MaxContext = context,
        TiedEmbeddings = tied,
        Layers = [.. layers],
        Tensors = [.. tensors],
        PublishedType = "bfloat16",
        Source = "test",
    };

    private static TensorShape Linear(string name, TensorRole role, int? layer, params long[] dimensions) => Tensor(name, role, layer, dimensions) with { IsLinear = true };

    private static TensorShape Tensor(string name, TensorRole role, int? layer, params long[] dimensions) =>
        new() { Name = name, Dimensions = [.. dimensions], Role = role, Layer = layer };
}

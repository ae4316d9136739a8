using Plimsoll.Checkpoints;
using Plimsoll.Runtime.Settings;

namespace Plimsoll.Runtime.Weights;

/// <summary>From the settings of a decoder to its tensors, each asked for by name and shape.</summary>
internal sealed class WeightLoader(DecoderCheckpoint checkpoint)
{
    private readonly TransformerSettings settings = checkpoint.Settings;
    private readonly Family family = checkpoint.Family;
    private readonly WeightSource source = new(checkpoint);

    /// <exception cref="CheckpointFormatException">A tensor is missing, or has another shape.</exception>
    public TransformerWeights Load()
    {
        var (hidden, vocabulary) = (settings.HiddenSize, settings.VocabularySize);
        var embeddingName = new WeightName(null, "token_embd");
        var embedding = new Linear(source.NameOf(embeddingName), source.Matrix(embeddingName, vocabulary, hidden, isLinear: false), null);
        var headName = new WeightName(null, "output");
        var head = source.Has(headName)
            ? source.Linear(headName, vocabulary, hidden, biasRequired: false)
            : embedding with { Bias = source.Vector(headName.Bias, vocabulary) };
        return new(source)
        {
            Embedding = embedding,
            Positions = settings.LearnedPositions ? source.Matrix(new(null, "position_embd"), settings.MaxContext ?? 0, hidden, isLinear: false) : null,
            Layers = [.. settings.Layers.Select((layer, index) => LoadLayer(layer, index))],
            FinalNorm = LoadFinalNorm(),
            Head = head,
        };
    }

    /// <summary>The output head as the checkpoint names it; the embedding's name where the two are tied.</summary>
    public string HeadName => source.NameOf(source.Has(new(null, "output")) ? new(null, "output") : new(null, "token_embd"));

    public NormWeights LoadFinalNorm() => Norm(new(null, "output_norm"), settings.HiddenSize);

    public LayerWeights LoadLayer(LayerSettings layer, int index)
    {
        var hidden = settings.HiddenSize;
        var before = settings.NormPlacement != NormPlacement.After;
        var after = settings.NormPlacement != NormPlacement.Before;
        var dense = layer.Experts is null;
        return new()
        {
            AttentionNorm = before ? Norm(new(index, "attn_norm"), hidden) : null,
            Projection = LoadProjection(layer, index),
            QueryNorm = QueryKeyNorm(new(index, "attn_q_norm"), layer.Heads, layer.HeadDim),
            KeyNorm = QueryKeyNorm(new(index, "attn_k_norm"), layer.KeyValueHeads, layer.HeadDim),
            Output = source.Linear(new(index, "attn_output"), hidden, layer.QueryWidth, family.Biases.HasFlag(Biases.Output)),
            AttentionOutputNorm = after ? Norm(new(index, "post_attention_norm"), hidden) : null,
            FeedForwardNorm = before && settings.Residual != Residual.ParallelSharedNorm ? Norm(new(index, "ffn_norm"), hidden) : null,
            FeedForward = dense ? LoadFeedForward(layer, index) : null,
            Experts = dense ? null : LoadExperts(layer, layer.Experts!, index),
            FeedForwardOutputNorm = after ? Norm(new(index, "post_ffw_norm"), hidden) : null,
        };
    }

    private ProjectionWeights LoadProjection(LayerSettings layer, int index)
    {
        var (hidden, query, keyValue) = (settings.HiddenSize, layer.QueryWidth, layer.KeyValueWidth);
        var biased = family.Biases.HasFlag(Biases.QueryKeyValue);
        var fused = new WeightName(index, "attn_qkv");
        return source.Has(fused)
            ? new(source.FusedProjection(fused, query, keyValue, hidden, layer.HeadDim, biased), null, null, null)
            : new(null,
                source.Linear(new(index, "attn_q"), query, hidden, biased),
                source.Linear(new(index, "attn_k"), keyValue, hidden, biased),
                source.Linear(new(index, "attn_v"), keyValue, hidden, biased));
    }

    private FeedForwardWeights LoadFeedForward(LayerSettings layer, int index)
    {
        var (hidden, width) = (settings.HiddenSize, layer.FeedForward);
        var biased = family.Biases.HasFlag(Biases.FeedForward);
        var gate = new WeightName(index, "ffn_gate");
        var separate = settings.Gated && (source.Has(gate) || !source.HasRows(new(index, "ffn_up"), 2 * width));
        return new(
            separate ? source.Linear(gate, width, hidden, biased) : null,
            source.Linear(new(index, "ffn_up"), settings.Gated && !separate ? 2 * width : width, hidden, biased),
            source.Linear(new(index, "ffn_down"), hidden, width, biased));
    }

    private ExpertWeights LoadExperts(LayerSettings layer, ExpertSettings experts, int index)
    {
        var (hidden, width) = (settings.HiddenSize, layer.FeedForward);
        var gates = source.Experts(new(index, "ffn_gate_exps"), experts.Count, width, hidden);
        var ups = source.Experts(new(index, "ffn_up_exps"), experts.Count, width, hidden);
        var downs = source.Experts(new(index, "ffn_down_exps"), experts.Count, hidden, width);
        return new(
            source.Linear(new(index, "ffn_gate_inp"), experts.Count, hidden, biasRequired: false),
            [.. Enumerable.Range(0, experts.Count).Select(expert => new FeedForwardWeights(gates[expert], ups[expert], downs[expert]))]);
    }

    private NormWeights? QueryKeyNorm(WeightName name, int heads, int headDim) => settings.QueryKeyNorm switch
    {
        Settings.QueryKeyNorm.None => null,
        Settings.QueryKeyNorm.SharedByHeads => Norm(name, headDim),
        Settings.QueryKeyNorm.PerHead => new(source.HeadVectors(name, heads, headDim), null),
        _ => Norm(name, heads * headDim),
    };

    private NormWeights Norm(WeightName name, int width) => new(
        source.NormVector(name, width),
        settings.Norm == NormKind.LayerNorm ? source.Vector(name.Bias, width) : null);
}

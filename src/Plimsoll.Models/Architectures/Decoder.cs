namespace Plimsoll.Models.Architectures;

/// <summary>Writes the tensors of a decoder in the style of its family.</summary>
internal static class Decoder
{
    /// <param name="prefix">What the names of the trunk begin with: <c>model.</c>, or <c>language_model.model.</c> inside a multimodal checkpoint.</param>
    /// <param name="head">The full name of the output head without <c>.weight</c>.</param>
    public static void Write(ShapeBuilder builder, DecoderFacts facts, DecoderStyle style, string prefix, string head)
    {
        builder.Tensor($"{prefix}{style.Embedding}.weight", TensorRole.Embedding, facts.Vocabulary, facts.Hidden);
        for (var index = 0; index < facts.Layers; index++)
            WriteLayer(new(builder, facts, style, index, $"{prefix}{style.LayersFolder}{index}."));
        builder.At(null);
        if (style.FinalNorm is { } norm)
            builder.Norm(prefix + norm, facts.Hidden, style.NormBias);
        WriteHead(builder, facts, head, style.HeadBias);
    }

    public static void WriteHead(ShapeBuilder builder, DecoderFacts facts, string head, bool bias = false)
    {
        if (!facts.Tied)
            builder.Linear(head, facts.Vocabulary, facts.Hidden, TensorRole.OutputHead, bias);
        else if (bias)
            builder.Tensor(head + ".bias", TensorRole.OutputHead, facts.Vocabulary);
    }

    public static void WriteLayer(DecoderLayer layer)
    {
        layer.Builder.At(layer.Index);
        layer.Builder.AddLayer(WriteTensors(layer));
    }

    /// <summary>The tensors of one layer, and the layer they make.</summary>
    public static LayerShape WriteTensors(DecoderLayer layer)
    {
        var (builder, facts, style) = (layer.Builder, layer.Facts, layer.Style);
        var mixer = style.Mixer is { } mix ? mix(layer) : new(Attention(layer));
        var feedForward = style.LayerFeedForward is { } part ? part(layer) : Dense(layer, facts.FeedForward);
        foreach (var norm in style.LayerNorms)
            builder.Norm(layer.Prefix + norm, facts.Hidden, style.NormBias);
        return new() { Attention = mixer.Attention, Recurrent = mixer.Recurrent, FeedForward = feedForward };
    }

    /// <summary>Grouped-query attention as the facts of the model say.</summary>
    public static AttentionShape Attention(DecoderLayer layer) =>
        Attention(layer, layer.Facts.Heads, layer.Facts.KeyValueHeads, layer.Facts.HeadDim, layer.Style.Window?.Invoke(layer.Index));

    public static AttentionShape Attention(DecoderLayer layer, int heads, int keyValueHeads, int headDim, int? window)
    {
        var (builder, style, hidden) = (layer.Builder, layer.Style.Attention, (long)layer.Facts.Hidden);
        var folder = layer.Prefix + layer.Style.AttentionFolder;
        long query = (long)heads * headDim, keyValue = (long)keyValueHeads * headDim;
        if (style.Fused is { } fused)
        {
            builder.Linear(folder + fused, query + 2 * keyValue, hidden, TensorRole.Attention, style.InputBias);
        }
        else
        {
            builder.Linear(folder + style.Query, query, hidden, TensorRole.Attention, style.InputBias);
            builder.Linear(folder + style.Key, keyValue, hidden, TensorRole.Attention, style.InputBias);
            builder.Linear(folder + style.Value, keyValue, hidden, TensorRole.Attention, style.InputBias);
        }
        builder.Linear(folder + style.Output, hidden, query, TensorRole.Attention, style.OutputBias);
        QueryKeyNorms(builder, style, folder, heads, keyValueHeads, headDim);
        return new() { Heads = heads, KeyValueHeads = keyValueHeads, KeyHeadDim = headDim, ValueHeadDim = headDim, Window = window };
    }

    public static void QueryKeyNorms(ShapeBuilder builder, AttentionStyle style, string folder, int heads, int keyValueHeads, int headDim)
    {
        var (queryNorm, keyNorm) = (folder + style.QueryNorm, folder + style.KeyNorm);
        switch (style.QueryKeyNorm)
        {
            case QueryKeyNorm.SharedByHeads:
                builder.Norm(queryNorm, headDim, style.QueryKeyNormBias);
                builder.Norm(keyNorm, headDim, style.QueryKeyNormBias);
                break;
            case QueryKeyNorm.WholeProjection:
                builder.Norm(queryNorm, (long)heads * headDim, style.QueryKeyNormBias);
                builder.Norm(keyNorm, (long)keyValueHeads * headDim, style.QueryKeyNormBias);
                break;
            case QueryKeyNorm.PerHead:
                builder.Tensor(queryNorm + ".weight", TensorRole.Norm, heads, headDim);
                builder.Tensor(keyNorm + ".weight", TensorRole.Norm, keyValueHeads, headDim);
                break;
        }
    }

    /// <summary>A dense feed-forward part of this intermediate width.</summary>
    public static FeedForwardShape Dense(DecoderLayer layer, int width)
    {
        var style = layer.Style.FeedForward;
        Matrices(layer.Builder, layer.Prefix + layer.Style.FeedForwardFolder, style, layer.Facts.Hidden, width, TensorRole.FeedForward);
        return new(width, style.Gated);
    }

    /// <summary>The matrices of one feed-forward part: gate and up of (width, hidden), down of (hidden, width).</summary>
    public static void Matrices(ShapeBuilder builder, string folder, FeedForwardStyle style, long hidden, long width, TensorRole role)
    {
        if (style.Gate is { } gate)
            builder.Linear(folder + gate, width, hidden, role, style.Bias);
        builder.Linear(folder + style.Up, style.FusedGateUp ? 2 * width : width, hidden, role, style.Bias);
        builder.Linear(folder + style.Down, hidden, width, role, style.DownBias);
    }

    /// <summary>Router, routed experts and shared experts of one layer.</summary>
    public static FeedForwardShape Experts(DecoderLayer layer, ExpertStyle style, ExpertShape experts)
    {
        var (builder, hidden, prefix) = (layer.Builder, (long)layer.Facts.Hidden, layer.Prefix);
        builder.Linear(prefix + style.Router, experts.Count, hidden, TensorRole.Router, style.RouterBias);
        if (style.Correction is { } correction)
            builder.Tensor(prefix + correction, TensorRole.Router, experts.Count);
        var folder = prefix + style.Experts;
        var matrices = style.Matrices;
        if (matrices.Gate is { } gate)
            builder.ExpertLinear(folder + gate, experts.Width, hidden, experts, matrices.Bias);
        builder.ExpertLinear(folder + matrices.Up, matrices.FusedGateUp ? 2L * experts.Width : experts.Width, hidden, experts, matrices.Bias);
        builder.ExpertLinear(folder + matrices.Down, hidden, experts.Width, experts, matrices.DownBias);
        SharedExperts(layer, style, experts.SharedWidth);
        return new(0, matrices.Gated, experts);
    }

    public static void SharedExperts(DecoderLayer layer, ExpertStyle style, int width)
    {
        if (style.Shared is { } shared && width > 0)
            Matrices(layer.Builder, layer.Prefix + shared, style.Matrices, layer.Facts.Hidden, width, TensorRole.SharedExpert);
        if (style.SharedGate is { } gate && width > 0)
            layer.Builder.Linear(layer.Prefix + gate, 1, layer.Facts.Hidden, TensorRole.SharedExpert);
    }
}

using Plimsoll.Runtime.Settings;
using static TorchSharp.torch;

namespace Plimsoll.Torch.Decoders;

/// <summary>Causal attention of whole rows, softmax(Q · Kᵀ) · V, and its projections.</summary>
internal sealed class Attention(TransformerSettings settings, RootMeanSquareNorm norm) : IDisposable
{
    private readonly Dictionary<(RopeSettings, long), Rotation> rotations = [];

    /// <param name="input">(batch, length, hidden), normed.</param>
    /// <returns>(batch, length, hidden).</returns>
    public Tensor Apply(LayerSettings layer, DecoderLayer weights, Tensor input)
    {
        using var scope = NewDisposeScope();
        var query = Heads(weights.Query.Apply(input), layer, layer.Heads, weights.QueryNorm);
        var key = Heads(weights.Key.Apply(input), layer, layer.KeyValueHeads, weights.KeyNorm);
        var value = Split(weights.Value.Apply(input), layer, layer.KeyValueHeads);
        var group = layer.Heads / layer.KeyValueHeads;
        if (group > 1)
            (key, value) = (key.repeat_interleave(group, 1), value.repeat_interleave(group, 1));
        var mixed = Mix(layer, query, key, value).transpose(1, 2).reshape(input.shape[0], input.shape[1], layer.QueryWidth);
        return weights.Output.Apply(mixed).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        foreach (var rotation in rotations.Values)
            rotation.Dispose();
    }

    /// <summary>(batch, length, heads · head_dim) to (batch, heads, length, head_dim), normed and rotated.</summary>
    private Tensor Heads(Tensor projected, LayerSettings layer, int heads, Weight? weight)
    {
        using var scope = NewDisposeScope();
        if (weight is not null && settings.QueryKeyNorm == QueryKeyNorm.WholeProjection)
            projected = norm.Apply(projected, weight);
        var split = Split(projected, layer, heads);
        if (weight is not null && settings.QueryKeyNorm == QueryKeyNorm.SharedByHeads)
            split = norm.Apply(split, weight);
        return (layer.Rope is { } rope ? RotationOf(rope, split).Apply(split) : split).MoveToOuterDisposeScope();
    }

    private static Tensor Split(Tensor projected, LayerSettings layer, int heads) =>
        projected.view(projected.shape[0], projected.shape[1], heads, layer.HeadDim).transpose(1, 2);

    private Rotation RotationOf(RopeSettings rope, Tensor heads)
    {
        var length = heads.shape[2];
        if (!rotations.TryGetValue((rope, length), out var rotation))
            rotations[(rope, length)] = rotation = new(rope, length, heads.device);
        return rotation;
    }

    /// <summary>libtorch's fused kernel where it knows the arithmetic, else scores that are whole in memory.</summary>
    private Tensor Mix(LayerSettings layer, Tensor query, Tensor key, Tensor value)
    {
        using var scope = NewDisposeScope();
        var length = query.shape[2];
        var isWindowed = layer.Window < length;
        if (settings.ScoreSoftCap is null && !isWindowed)
        {
            // The kernel multiplies scores by 1 / sqrt(head_dim).
            var scale = layer.ScoreScale * MathF.Sqrt(layer.HeadDim);
            return nn.functional.scaled_dot_product_attention(Math.Abs(scale - 1) < 1e-6f ? query : query * scale, key, value, is_casual: true).MoveToOuterDisposeScope();
        }
        var scores = Decoder.SoftCap(query.matmul(key.transpose(-2, -1)) * layer.ScoreScale, settings.ScoreSoftCap);
        var hidden = ones(length, length, dtype: ScalarType.Bool, device: query.device).triu(1);
        if (isWindowed)
            hidden = hidden | ones(length, length, dtype: ScalarType.Bool, device: query.device).tril(-layer.Window!.Value);
        return nn.functional.softmax(scores.to(ScalarType.Float32).masked_fill(hidden, float.NegativeInfinity), -1).to(value.dtype).matmul(value).MoveToOuterDisposeScope();
    }
}

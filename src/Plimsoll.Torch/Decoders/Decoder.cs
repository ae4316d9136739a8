using System.Collections.Immutable;
using Plimsoll.Runtime.Settings;
using static TorchSharp.torch;

namespace Plimsoll.Torch.Decoders;

/// <summary>A decoder of the Llama family with gradients, as three steps: embedding, layers, loss.</summary>
/// <remarks>What differs between models is data (<see cref="TransformerSettings"/>), as in the CPU runtime. Every method frees what it made besides its result.</remarks>
internal sealed class Decoder : IDisposable
{
    /// <summary>Targets that count for nothing.</summary>
    public const long Ignored = -100;

    private readonly Attention attention;
    private readonly RootMeanSquareNorm norm;

    /// <param name="normOffset">What the stored weights of norms lack (Gemma: 1).</param>
    public Decoder(TransformerSettings settings, Weight embedding, ImmutableArray<DecoderLayer> layers, Weight finalNorm, LinearLayer head, float normOffset)
    {
        (Settings, Embedding, Layers, FinalNorm, Head) = (settings, embedding, layers, finalNorm, head);
        norm = new(settings.NormEpsilon, normOffset);
        attention = new(settings, norm);
    }

    public TransformerSettings Settings { get; }

    public Weight Embedding { get; }

    public ImmutableArray<DecoderLayer> Layers { get; }

    public Weight FinalNorm { get; }

    public LinearLayer Head { get; }

    /// <summary>Every tensor once, in the order of the checkpoint's parts.</summary>
    public IEnumerable<Weight> Weights => Layers
        .SelectMany(layer => layer.Linears.SelectMany(linear => linear.Weights).Concat(layer.Norms))
        .Prepend(Embedding).Append(FinalNorm).Concat(Head.Weights).Distinct();

    /// <summary>Every tensor of the model as a checkpoint has it, adapters added to what they change; made when it is asked for, and the caller's to free.</summary>
    public IEnumerable<(string Name, Func<Tensor> Value)> Tensors => Layers
        .SelectMany(layer => layer.Linears.SelectMany(LinearTensors).Concat(layer.Norms.Select(Plain)))
        .Prepend(Plain(Embedding)).Append(Plain(FinalNorm)).Concat(LinearTensors(Head)).DistinctBy(tensor => tensor.Name);

    /// <summary>Parameters, those of adapters included.</summary>
    public long Elements => Layers.Sum(layer => layer.Linears.Sum(linear => linear.Elements) + layer.Norms.Sum(weight => weight.Value.numel()))
        + Embedding.Value.numel() + FinalNorm.Value.numel() + (Head.Weights.Contains(Embedding) ? 0 : Head.Elements);

    /// <summary>The same weights with other linear layers inside the layers.</summary>
    public Decoder Replace(Func<LinearLayer, LinearLayer> replacement) =>
        new(Settings, Embedding, [.. Layers.Select(layer => layer.Replace(replacement))], FinalNorm, Head, norm.Offset);

    /// <param name="tokens">(batch, length), 64-bit.</param>
    /// <returns>(batch, length, hidden).</returns>
    public Tensor Embed(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        var rows = Embedding.Value.index_select(0, tokens.flatten()).view(tokens.shape[0], tokens.shape[1], Settings.HiddenSize);
        return (Settings.EmbeddingScale == 1 ? rows : rows * Settings.EmbeddingScale).MoveToOuterDisposeScope();
    }

    /// <summary>One layer over the hidden state (batch, length, hidden).</summary>
    public Tensor Layer(int index, Tensor hidden)
    {
        using var scope = NewDisposeScope();
        var (layer, settings) = (Layers[index], Settings.Layers[index]);
        var attended = attention.Apply(settings, layer, Normed(layer.AttentionNorm, hidden));
        hidden = Add(hidden, Normed(layer.AttentionOutputNorm, attended));
        return Add(hidden, Normed(layer.FeedForwardOutputNorm, FeedForward(layer, Normed(layer.FeedForwardNorm, hidden)))).MoveToOuterDisposeScope();
    }

    /// <summary>All layers over tokens (batch, length): the hidden state (batch, length, hidden), each layer's freed when the next has it.</summary>
    public Tensor Hidden(Tensor tokens)
    {
        var hidden = Embed(tokens);
        for (var index = 0; index < Layers.Length; index++)
        {
            using var before = hidden;
            hidden = Layer(index, before);
        }
        return hidden;
    }

    /// <summary>FP32 logits (batch, length, vocabulary) behind the last layer.</summary>
    public Tensor Logits(Tensor hidden)
    {
        using var scope = NewDisposeScope();
        var logits = Head.Apply(norm.Apply(hidden, FinalNorm)).to(ScalarType.Float32);
        if (Settings.LogitScale != 1)
            logits = logits * Settings.LogitScale;
        return SoftCap(logits, Settings.LogitSoftCap).MoveToOuterDisposeScope();
    }

    /// <summary>The sum of cross entropies, in nats, over the targets that count.</summary>
    /// <param name="targets">(batch, length), <see cref="Ignored"/> where nothing is to be predicted.</param>
    public Tensor Loss(Tensor hidden, Tensor targets)
    {
        using var scope = NewDisposeScope();
        var logits = Logits(hidden).view(-1, Settings.VocabularySize);
        return nn.functional.cross_entropy(logits, targets.flatten(), ignore_index: Ignored, reduction: nn.Reduction.Sum).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        foreach (var linear in Layers.SelectMany(layer => layer.Linears).Append(Head))
            linear.Dispose();
        foreach (var weight in Layers.SelectMany(layer => layer.Norms).Append(FinalNorm).Append(Embedding))
            weight.Dispose();
        attention.Dispose();
    }

    /// <summary>c · tanh(x / c).</summary>
    internal static Tensor SoftCap(Tensor values, float? cap) => cap is { } limit ? (values / limit).tanh() * limit : values;

    private static (string Name, Func<Tensor> Value) Plain(Weight weight) => (weight.Name, () => weight.Value.detach());

    private static IEnumerable<(string Name, Func<Tensor> Value)> LinearTensors(LinearLayer linear) =>
        linear.Bias is { } bias ? [(linear.Name, linear.Matrix), Plain(bias)] : [(linear.Name, linear.Matrix)];

    private Tensor Normed(Weight? weight, Tensor values) => weight is null ? values : norm.Apply(values, weight);

    private Tensor Add(Tensor hidden, Tensor branch) => Settings.ResidualScale == 1 ? hidden + branch : hidden + branch * Settings.ResidualScale;

    private Tensor FeedForward(DecoderLayer layer, Tensor input)
    {
        using var scope = NewDisposeScope();
        return layer.Down.Apply(Activate(layer.Gate.Apply(input)) * layer.Up.Apply(input)).MoveToOuterDisposeScope();
    }

    private Tensor Activate(Tensor values) => Settings.Activation switch
    {
        Activation.Silu => nn.functional.silu(values),
        Activation.GeluTanh => 0.5 * values * (1 + (Math.Sqrt(2 / Math.PI) * (values + 0.044715 * values.pow(3))).tanh()),
        _ => nn.functional.gelu(values),
    };
}

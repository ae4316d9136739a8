namespace Plimsoll.Torch.Decoders;

/// <summary>The tensors of one layer. A norm that the architecture does not have is null.</summary>
internal sealed record DecoderLayer
{
    public Weight? AttentionNorm { get; init; }

    public required LinearLayer Query { get; init; }

    public required LinearLayer Key { get; init; }

    public required LinearLayer Value { get; init; }

    public Weight? QueryNorm { get; init; }

    public Weight? KeyNorm { get; init; }

    public required LinearLayer Output { get; init; }

    public Weight? AttentionOutputNorm { get; init; }

    public Weight? FeedForwardNorm { get; init; }

    public required LinearLayer Gate { get; init; }

    public required LinearLayer Up { get; init; }

    public required LinearLayer Down { get; init; }

    public Weight? FeedForwardOutputNorm { get; init; }

    public IEnumerable<LinearLayer> Linears => [Query, Key, Value, Output, Gate, Up, Down];

    public IEnumerable<Weight> Norms => new[] { AttentionNorm, QueryNorm, KeyNorm, AttentionOutputNorm, FeedForwardNorm, FeedForwardOutputNorm }.OfType<Weight>();

    /// <summary>The layer with other linear layers in place of its own: how adapters and quantizers come in.</summary>
    public DecoderLayer Replace(Func<LinearLayer, LinearLayer> replacement) => this with
    {
        Query = replacement(Query), Key = replacement(Key), Value = replacement(Value), Output = replacement(Output),
        Gate = replacement(Gate), Up = replacement(Up), Down = replacement(Down),
    };
}

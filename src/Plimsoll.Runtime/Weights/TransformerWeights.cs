using System.Collections.Immutable;
using Plimsoll.Numerics.Linear;

namespace Plimsoll.Runtime.Weights;

/// <summary>Every tensor of a decoder, ready to be multiplied.</summary>
internal sealed class TransformerWeights(IDisposable source) : IDisposable
{
    /// <summary>(vocabulary, hidden).</summary>
    public required Linear Embedding { get; init; }

    /// <summary>(positions, hidden); null where positions are rotations.</summary>
    public PackedMatrix? Positions { get; init; }

    public required ImmutableArray<LayerWeights> Layers { get; init; }

    public required NormWeights FinalNorm { get; init; }

    /// <summary>(vocabulary, hidden); over the embedding's matrix where the two are tied.</summary>
    public required Linear Head { get; init; }

    /// <summary>The embedding, and everything that is multiplied.</summary>
    public IEnumerable<Linear> Linears => Layers.SelectMany(layer => layer.Linears).Append(Head).Prepend(Embedding);

    /// <summary>Every matrix once.</summary>
    public IEnumerable<PackedMatrix> Matrices => Linears.Select(linear => linear.Matrix).Concat(Positions is null ? [] : [Positions]).Distinct();

    public void Dispose()
    {
        foreach (var matrix in Matrices)
            matrix.Dispose();
        source.Dispose();
    }
}

/// <summary>The tensors of one layer. A norm that the architecture does not have is null.</summary>
internal sealed record LayerWeights
{
    public NormWeights? AttentionNorm { get; init; }

    public required ProjectionWeights Projection { get; init; }

    public NormWeights? QueryNorm { get; init; }

    public NormWeights? KeyNorm { get; init; }

    /// <summary>(hidden, heads × head_dim).</summary>
    public required Linear Output { get; init; }

    public NormWeights? AttentionOutputNorm { get; init; }

    public NormWeights? FeedForwardNorm { get; init; }

    /// <summary>The dense part; null where there are experts.</summary>
    public FeedForwardWeights? FeedForward { get; init; }

    public ExpertWeights? Experts { get; init; }

    public NormWeights? FeedForwardOutputNorm { get; init; }

    public IEnumerable<Linear> Linears =>
        [.. Projection.Linears, Output, .. FeedForward?.Linears ?? [], .. Experts is null ? [] : Experts.Each.SelectMany(expert => expert.Linears).Prepend(Experts.Router)];
}

/// <summary>Queries, keys and values: three layers, or one whose outputs are the three one after the other.</summary>
internal sealed record ProjectionWeights(Linear? Fused, Linear? Query, Linear? Key, Linear? Value)
{
    public IEnumerable<Linear> Linears => Fused is not null ? [Fused] : [Query!, Key!, Value!];
}

/// <param name="Gate">Null where there is none, or where <paramref name="Up"/> holds the gate's outputs before its own.</param>
internal sealed record FeedForwardWeights(Linear? Gate, Linear Up, Linear Down)
{
    public IEnumerable<Linear> Linears => Gate is null ? [Up, Down] : [Gate, Up, Down];
}

/// <param name="Router">(experts, hidden).</param>
internal sealed record ExpertWeights(Linear Router, ImmutableArray<FeedForwardWeights> Each);

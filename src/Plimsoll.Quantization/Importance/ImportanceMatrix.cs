using System.Collections.Immutable;

namespace Plimsoll.Quantization.Importance;

/// <summary>How much each input column of a model's matrices matters: sums of squared activations over a text, as llama.cpp's <c>imatrix</c> files hold them.</summary>
public sealed record ImportanceMatrix
{
    /// <summary>llama.cpp's chunk of text, in tokens.</summary>
    public const int DefaultChunkSize = 512;

    public required ImmutableArray<ImportanceEntry> Entries { get; init; }

    /// <summary>The files that the text came from; empty when unknown.</summary>
    public ImmutableArray<string> Datasets { get; init; } = [];

    /// <summary>Pieces of text that went through the model; null when unknown.</summary>
    public int? Chunks { get; init; }

    /// <summary>Tokens of such a piece.</summary>
    public int ChunkSize { get; init; } = DefaultChunkSize;
}

/// <summary>The sums of one weight tensor.</summary>
/// <param name="Name">The GGUF name of the tensor: <c>blk.0.ffn_up.weight</c>.</param>
/// <param name="Sums">Σ x² of each column, (matrices, columns) row-major; several matrices where experts are stacked.</param>
/// <param name="Counts">How many activations went into the sums of each matrix.</param>
public sealed record ImportanceEntry(string Name, ImmutableArray<float> Sums, ImmutableArray<long> Counts)
{
    /// <summary>Columns of one matrix.</summary>
    public int Columns => Sums.Length / Counts.Length;

    /// <summary>The mean square of each column; 1 for every column of a matrix that no activation met, as llama.cpp has it.</summary>
    public float[] MeanSquares()
    {
        var means = new float[Sums.Length];
        for (var i = 0; i < means.Length; i++)
            means[i] = Counts[i / Columns] is > 0 and var count ? Sums[i] / count : 1;
        return means;
    }
}

using System.Collections.Immutable;
using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Numerics;
using Plimsoll.Numerics.Blocks;
using Plimsoll.Quantization.Calibration.Sequential;
using Plimsoll.Quantization.ErrorFeedback;
using Plimsoll.Quantization.Importance;

namespace Plimsoll.Quantization.Gguf;

/// <summary>What a GGUF file is to be: the choices of <c>llama-quantize</c>, and how hard to search.</summary>
public sealed record GgufRecipe
{
    /// <summary>The name of the file to write; the parts of a split one get <c>-00001-of-0000N</c> before the extension.</summary>
    public required string FileName { get; init; }

    /// <summary>The mixture of tensor types.</summary>
    public required GgufFileType FileType { get; init; }

    /// <summary>Types of single tensors, which go before the mixture; the first pattern that is found in the name counts.</summary>
    public ImmutableArray<GgufTypeOverride> Overrides { get; init; } = [];

    /// <summary>The type of each tensor by name, chosen for a size of the file; null leaves them to the mixture.</summary>
    public IReadOnlyDictionary<string, NumberFormat>? Allocated { get; init; }

    /// <summary>The size that was asked for, as on the command line; null for none.</summary>
    public string? Target { get; init; }

    /// <summary>Every tensor that may be quantized gets the default type of the mixture.</summary>
    public bool Pure { get; init; }

    /// <summary>The type of <c>output.weight</c>; null leaves it to the mixture.</summary>
    public NumberFormat? OutputType { get; init; }

    /// <summary>The type of <c>token_embd.weight</c>; null leaves it to the mixture.</summary>
    public NumberFormat? EmbeddingType { get; init; }

    /// <summary>The most bytes of tensor data in one file; null for one file. A larger tensor gets a file of its own.</summary>
    public long? SplitBytes { get; init; }

    /// <summary>How much each input column matters; null for none.</summary>
    public GgufImportance? Importance { get; init; }

    /// <summary>How errors of columns make up for each other, by tensor name, for each matrix of a stack; null to round to nearest.</summary>
    public IReadOnlyDictionary<string, ImmutableArray<FeedbackFactor?>>? Feedback { get; init; }

    /// <summary>Rounds layer after layer with error feedback, from what the layers before give as they are written; null for none.</summary>
    public SequentialCalibration? Sequential { get; init; }

    /// <summary>Whether tensors that are quantized already may be quantized again.</summary>
    public bool AllowRequantize { get; init; }

    public BlockSearch Search { get; init; }
}

/// <summary>An importance matrix: for each GGUF tensor the mean square of the activations that meet its columns.</summary>
/// <param name="File">The file it was read from, which llama.cpp writes into the metadata.</param>
/// <param name="Dataset">The text it was made from; null when unknown.</param>
/// <param name="Chunks">Pieces of that text; null when unknown.</param>
/// <param name="Columns">By tensor name; for stacked experts the columns of one expert after the other.</param>
public sealed record GgufImportance(string File, string? Dataset, int? Chunks, IReadOnlyDictionary<string, ReadOnlyMemory<float>> Columns)
{
    /// <param name="file">The file that the matrix was read from.</param>
    public static GgufImportance Of(string file, ImportanceMatrix matrix) => new(file, matrix.Datasets.FirstOrDefault(), matrix.Chunks,
        matrix.Entries.ToDictionary(entry => entry.Name, entry => (ReadOnlyMemory<float>)entry.MeanSquares(), StringComparer.Ordinal));
}

using System.Collections.Immutable;
using Plimsoll.Models;
using Plimsoll.Planning.Weights.Gguf;
using Plimsoll.Quantization.ErrorFeedback;
using Plimsoll.Quantization.Gguf;
using Plimsoll.Quantization.Importance;

namespace Plimsoll.Quantization.Calibration;

/// <summary>What was seen of the matrices of one tensor of a GGUF file.</summary>
/// <param name="Name">llama.cpp's name: <c>blk.0.ffn_up.weight</c>.</param>
/// <param name="Columns">Columns of one matrix.</param>
/// <param name="Matrices">One after the other, several where experts are stacked; null for an expert that no token was routed to.</param>
public sealed record CalibratedTensor(string Name, int Columns, ImmutableArray<InputStatistics?> Matrices);

/// <summary>From what a model calls its layers to the tensors of GGUF files.</summary>
public static class CalibratedTensors
{
    /// <summary>The tensors whose inputs were seen, in the order of the file; the embedding is among them where the output head is tied to it.</summary>
    /// <param name="model">A GGUF file, or a checkpoint of Hugging Face, whose tensors get the names that llama.cpp's converter gives them.</param>
    /// <exception cref="QuantizationRefusedException">The architecture is none that llama.cpp has.</exception>
    public static ImmutableArray<CalibratedTensor> Find(LocatedModel model, InputCollector seen)
    {
        if (model.IsGguf)
        {
            return [.. GgufLayout.OfFile(model.Shape).Tensors.Select(tensor => Create(tensor, Enumerable.Range(0, (int)tensor.Matrices).Select(expert => seen.Find(tensor.Name, expert)))).OfType<CalibratedTensor>()];
        }
        return [.. GgufFromHuggingFace.Read(model).Tensors.Select(source => Create(source.Tensor, InputsOf(source, seen))).OfType<CalibratedTensor>()];
    }

    /// <summary>Bytes of the Gram matrices of a model's layers while a text is run, and of the factors that follow from them.</summary>
    public static long GramBytes(LocatedModel model) =>
        (model.IsGguf ? GgufLayout.OfFile(model.Shape) : GgufLayout.Of(model.Shape)).Tensors.Where(tensor => tensor.AllowsQuantization && !SharesInputs(tensor.Category))
            .Sum(tensor => checked(tensor.Matrices * (tensor.RowLength * tensor.RowLength * sizeof(double) + FeedbackFactor.BytesFor(tensor.RowLength))));

    /// <summary>Keys and values are given what queries are, gates what the up projection is.</summary>
    private static bool SharesInputs(GgufCategory category) => category is GgufCategory.AttentionK or GgufCategory.AttentionV or GgufCategory.FeedForwardGate;

    /// <summary>The importance matrix, as <c>llama-imatrix</c> makes it: of the layers, without the output head.</summary>
    public static ImportanceMatrix ToImportance(this IEnumerable<CalibratedTensor> tensors, CalibrationText text) => new()
    {
        Entries = [.. tensors.Where(tensor => tensor.Name.StartsWith("blk.", StringComparison.Ordinal)).Select(Entry)],
        Datasets = [text.Name],
        Chunks = text.Chunks,
        ChunkSize = text.Context,
    };

    private static ImportanceEntry Entry(CalibratedTensor tensor) => new(
        tensor.Name,
        [.. tensor.Matrices.SelectMany(matrix => matrix is null ? new float[tensor.Columns] : matrix.Squares.ToArray().Select(square => (float)square))],
        [.. tensor.Matrices.Select(matrix => matrix?.Count ?? 0)]);

    private static CalibratedTensor? Create(GgufTensor tensor, IEnumerable<InputStatistics?> inputs)
    {
        ImmutableArray<InputStatistics?> matrices = [.. inputs];
        return matrices.Any(matrix => matrix is not null) ? new(tensor.Name, (int)tensor.RowLength, matrices) : null;
    }

    /// <summary>What the matrices of a tensor are given; experts lie in tensors of their own, or in one as in the GGUF file.</summary>
    internal static IEnumerable<InputStatistics?> InputsOf(GgufSource source, InputCollector seen) => source.Sources is [var only]
        ? Enumerable.Range(0, (int)source.Tensor.Matrices).Select(expert => seen.Find(only.Name, expert))
        : source.Tensor.Matrices == source.Sources.Length ? source.Sources.Select(expert => seen.Find(expert.Name, 0)) : [];
}

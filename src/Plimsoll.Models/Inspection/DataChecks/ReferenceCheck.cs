using Plimsoll.Checkpoints.Data;
using Plimsoll.Checkpoints.Layouts;

namespace Plimsoll.Models.Inspection.DataChecks;

/// <summary>Weights that are not those of a reference checkpoint: other numbers, or query and key rows in the other order of rotary embeddings.</summary>
/// <remarks>
/// Meta's checkpoints and llama.cpp rotate neighbours (0, 1), (2, 3) …; transformers rotates (0, d/2), (1, d/2 + 1) …. Converters permute the rows of query and key within each head; a model
/// that was permuted once too often, or not at all, loads and writes nonsense.
/// </remarks>
internal static class ReferenceCheck
{
    public const string Name = "reference";

    /// <summary>Σ (x − y)² ÷ Σ x² of weights that have nothing to do with each other is 2; the coarsest quantization in use stays below 0.5.</summary>
    private const double Different = 0.7;

    /// <summary>Enough rows to tell, of matrices that may have hundreds of thousands.</summary>
    private const long MostRows = 1024;

    private static readonly string[] Rotated = ["q_proj", "k_proj", "attn_q", "attn_k", "wq", "wk"];

    public static IEnumerable<InspectionProblem> Find(DataInspection data)
    {
        if (data.Reference is not { } reference)
            return [];
        var (different, permuted, shapes, compared) = (new List<string>(), new List<string>(), new List<string>(), 0);
        var byName = reference.Parameters.ToDictionary(parameter => TensorName.Key(parameter.Name), StringComparer.Ordinal);
        foreach (var parameter in data.Parameters)
        {
            data.Cancellation.ThrowIfCancellationRequested();
            if (!byName.TryGetValue(TensorName.Key(parameter.Name), out var other) || data.TryOpen(parameter) is not { RowLength: > 0, Rows: > 0 } weight || reference.TryOpen(other) is not { } expected)
                continue;
            compared++;
            if (!weight.Dimensions.SequenceEqual(expected.Dimensions))
                shapes.Add(parameter.Name);
            else if (Compare(data, parameter.Name, weight, expected) is var (isSame, isPermuted) && !isSame)
                (isPermuted ? permuted : different).Add(parameter.Name);
        }
        return Report(reference.Inspection.Path, compared, shapes, permuted, different);
    }

    private static IEnumerable<InspectionProblem> Report(string reference, int compared, List<string> shapes, List<string> permuted, List<string> different)
    {
        if (compared == 0)
            yield return InspectionProblem.Error(Name, $"no parameter has the name of one in {reference}: nothing can be compared.");
        if (shapes.Count > 0)
            yield return InspectionProblem.Error(Name, $"{Count(shapes)} another shape than in {reference}: {InspectionProblem.Examples(shapes)}.", shapes);
        if (permuted.Count > 0)
            yield return InspectionProblem.Error(Name, $"the rows of {InspectionProblem.Examples(permuted)} are in the other order of rotary embeddings than in {reference}: pairs of neighbours in one, halves of a head in the other.", permuted);
        if (different.Count > 0)
            yield return InspectionProblem.Error(Name, $"{Count(different)} other weights than in {reference}: {InspectionProblem.Examples(different)}.", different);
    }

    private static string Count(List<string> names) => names.Count == 1 ? "1 parameter has" : $"{names.Count:N0} parameters have";

    private static (bool IsSame, bool IsPermuted) Compare(DataInspection data, string name, StoredWeight weight, StoredWeight expected)
    {
        var rotated = Rotated.Any(part => name.Contains(part, StringComparison.Ordinal));
        var head = rotated ? HeadDim(data) : null;
        var rows = Math.Min(weight.Rows, Math.Max(1, Math.Min(MostRows, (1 << 22) / weight.RowLength)));
        if (head is { } size && size > 1 && weight.Rows % size == 0)
            rows = Math.Max(size, rows / size * size);
        var (values, others) = (new float[checked(rows * weight.RowLength)], new float[checked(rows * weight.RowLength)]);
        weight.ReadRows(0, values);
        expected.ReadRows(0, others);
        if (Error(values, others, row => row, (int)weight.RowLength) < Different)
            return (true, false);
        if (head is not { } dimension || rows % dimension != 0)
            return (false, false);
        var half = dimension / 2;
        return (false, Error(values, others, Interleave, (int)weight.RowLength) < Different || Error(others, values, Interleave, (int)weight.RowLength) < Different);

        // Row 2i + j of a head of neighbours is row i + j · d/2 of a head of halves.
        int Interleave(int row) => row / dimension * dimension + row % dimension / 2 + row % 2 * half;
    }

    private static int? HeadDim(DataInspection data) => data.Inspection.Shape?.Layers.Select(layer => layer.Attention?.KeyHeadDim).FirstOrDefault(size => size is > 1);

    /// <param name="rowOf">The row of the expected weights that a row should be.</param>
    private static double Error(float[] values, float[] expected, Func<int, int> rowOf, int length)
    {
        double error = 0, square = 0;
        for (var row = 0; row < values.Length / length; row++)
        {
            var mine = values.AsSpan(row * length, length);
            var other = expected.AsSpan(rowOf(row) * length, length);
            for (var column = 0; column < length; column++)
            {
                var difference = (double)mine[column] - other[column];
                error += difference * difference;
                square += (double)other[column] * other[column];
            }
        }
        return square == 0 ? error == 0 ? 0 : double.PositiveInfinity : error / square;
    }
}

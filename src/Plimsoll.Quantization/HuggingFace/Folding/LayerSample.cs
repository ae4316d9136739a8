using Plimsoll.Checkpoints.Data;

namespace Plimsoll.Quantization.HuggingFace.Folding;

/// <summary>Rows of a layer, spread evenly, that stand for all where every row would take long.</summary>
/// <param name="Rows">(count, columns).</param>
/// <param name="Count">At most <see cref="Most"/>.</param>
/// <param name="RowsOfOne">How many rows one of them stands for.</param>
internal sealed record LayerSample(float[] Rows, int Count, double RowsOfOne)
{
    private const int Most = 256;

    public delegate void Visitor(ReadOnlySpan<float> row);

    /// <param name="visit">Sees every row, in order.</param>
    public static LayerSample Read(StoredWeight weight, Visitor visit)
    {
        var (columns, count) = ((int)weight.RowLength, (int)Math.Min(Most, weight.Rows));
        var (rows, line) = (new float[count * columns], new float[columns]);
        var taken = 0;
        for (var row = 0L; row < weight.Rows; row++)
        {
            weight.ReadRows(row, line);
            visit(line);
            if (taken < count && row == taken * weight.Rows / count)
                line.CopyTo(rows, taken++ * columns);
        }
        return new(rows, count, (double)weight.Rows / count);
    }
}

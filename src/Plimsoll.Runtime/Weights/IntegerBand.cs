using Plimsoll.Checkpoints.Data;

namespace Plimsoll.Runtime.Weights;

/// <summary>Reads rows of integers many at a time: in the files of GPTQ and AWQ a row lies across the whole tensor.</summary>
/// <param name="inOrder">Whether rows are asked for one after the other; else each is read by itself.</param>
internal sealed class IntegerBand(IntegerWeight weight, long firstRow, int rows, bool inOrder)
{
    /// <summary>Integers of a band, 4 MiB.</summary>
    private const int Capacity = 2 << 20;

    private readonly int columns = (int)weight.RowLength;
    private readonly int bandRows = inOrder ? Math.Min(Math.Max(Capacity / (int)weight.RowLength / 16, 1) * 16, rows) : 1;
    private short[] integers = [];
    private float[] scales = [];
    private int bandStart;
    private int present;

    /// <summary>The integers of a row, zero points subtracted.</summary>
    /// <param name="rowScales">One for each group.</param>
    public ReadOnlySpan<short> Read(int row, out ReadOnlySpan<float> rowScales)
    {
        if (row < bandStart || row >= bandStart + present)
        {
            (bandStart, present) = (row, Math.Min(bandRows, rows - row));
            if (integers.Length == 0)
                (integers, scales) = (new short[bandRows * columns], new float[bandRows * weight.Groups]);
            weight.ReadIntegers(firstRow + row, integers.AsSpan(0, present * columns), scales.AsSpan(0, present * weight.Groups));
        }
        rowScales = scales.AsSpan((row - bandStart) * weight.Groups, weight.Groups);
        return integers.AsSpan((row - bandStart) * columns, columns);
    }
}

using System.Numerics;
using System.Runtime.InteropServices;

namespace Plimsoll.Quantization.Calibration;

/// <summary>Inputs of one call, kept by column so that products of columns are sums over neighbours.</summary>
internal sealed class InputBatch
{
    private float[] byColumn = [];
    private float[] rows = [];
    private int columns;

    /// <summary>Inputs in the batch.</summary>
    public int Count { get; private set; }

    /// <summary>Whether these are the inputs that the batch holds, number by number.</summary>
    public bool Holds(ReadOnlySpan<float> inputs, int width) => width == columns && inputs.SequenceEqual(rows.AsSpan(0, Count * columns));

    /// <param name="inputs">(count, width), row-major.</param>
    public void Fill(ReadOnlySpan<float> inputs, int width)
    {
        (columns, Count) = (width, inputs.Length / width);
        if (rows.Length < inputs.Length)
            (rows, byColumn) = (new float[inputs.Length], new float[inputs.Length]);
        inputs.CopyTo(rows);
        for (var row = 0; row < Count; row++)
        {
            for (var column = 0; column < width; column++)
                byColumn[column * Count + row] = inputs[row * width + column];
        }
    }

    /// <summary>Element <paramref name="column"/> of every input.</summary>
    public ReadOnlySpan<float> Column(int column) => byColumn.AsSpan(column * Count, Count);

    /// <summary>Σ x[left] · x[right] over the inputs.</summary>
    public float Product(int left, int right)
    {
        var a = Column(left);
        var b = Column(right);
        var wideA = MemoryMarshal.Cast<float, Vector<float>>(a);
        var wideB = MemoryMarshal.Cast<float, Vector<float>>(b);
        var (even, odd) = (Vector<float>.Zero, Vector<float>.Zero);
        var at = 0;
        for (; at + 1 < wideA.Length; at += 2)
        {
            even += wideA[at] * wideB[at];
            odd += wideA[at + 1] * wideB[at + 1];
        }
        if (at < wideA.Length)
            even += wideA[at] * wideB[at];
        var sum = Vector.Sum(even + odd);
        for (var i = wideA.Length * Vector<float>.Count; i < a.Length; i++)
            sum += a[i] * b[i];
        return sum;
    }
}

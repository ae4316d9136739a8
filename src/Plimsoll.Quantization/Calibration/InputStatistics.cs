namespace Plimsoll.Quantization.Calibration;

/// <summary>What a text has shown of the inputs x of linear layers that are given the same ones: queries, keys and values; gate and up.</summary>
/// <param name="columns">Elements of x.</param>
/// <param name="keepsGram">Whether Σ xᵀx is kept besides Σ x².</param>
public sealed class InputStatistics(int columns, bool keepsGram)
{
    private readonly double[] squares = new double[columns];
    private readonly double[] magnitudes = new double[columns];
    private readonly float[] largest = new float[columns];
    private double[]? gram = keepsGram ? new double[checked(columns * columns)] : null;

    public int Columns => columns;

    /// <summary>How many x were seen.</summary>
    public long Count { get; private set; }

    /// <summary>Σ x² of each column.</summary>
    public ReadOnlySpan<double> Squares => squares;

    /// <summary>Σ |x| of each column.</summary>
    public ReadOnlySpan<double> Magnitudes => magnitudes;

    /// <summary>The largest |x| of each column.</summary>
    public ReadOnlySpan<float> Largest => largest;

    /// <summary>Σ xᵀx, (columns, columns): the lower triangle; empty when it is not kept.</summary>
    public ReadOnlySpan<double> Gram => gram;

    /// <summary>Hands over the array of <see cref="Gram"/>; it is not kept any more.</summary>
    public double[] TakeGram()
    {
        var taken = gram ?? throw new InvalidOperationException("the products were not kept, or taken already");
        gram = null;
        return taken;
    }

    /// <summary>Lets go of the memory of <see cref="Gram"/>.</summary>
    public void ReleaseGram() => gram = null;

    /// <summary>Adds inputs.</summary>
    /// <param name="batch">The inputs by column.</param>
    internal void Add(InputBatch batch, int threads)
    {
        Count += batch.Count;
        for (var column = 0; column < columns; column++)
        {
            var (square, magnitude, most) = (0.0, 0.0, largest[column]);
            foreach (var value in batch.Column(column))
            {
                var absolute = Math.Abs(value);
                square += (double)value * value;
                magnitude += absolute;
                most = Math.Max(most, absolute);
            }
            squares[column] += square;
            magnitudes[column] += magnitude;
            largest[column] = most;
        }
        if (gram is null)
            return;
        // Rows of the triangle grow: they are handed out from both ends in pairs of equal work.
        Parallel.For(0, (columns + 1) / 2, new() { MaxDegreeOfParallelism = threads }, row =>
        {
            AddRow(batch, row);
            if (columns - 1 - row != row)
                AddRow(batch, columns - 1 - row);
        });
    }

    private void AddRow(InputBatch batch, int row)
    {
        var line = gram.AsSpan(row * columns, row + 1);
        for (var column = 0; column < line.Length; column++)
            line[column] += batch.Product(row, column);
    }
}

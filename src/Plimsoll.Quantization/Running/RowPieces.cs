using Plimsoll.Quantization.Output;

namespace Plimsoll.Quantization.Running;

/// <summary>How the rows of a job are cut into pieces that one thread works on at a time.</summary>
/// <remarks>The cut depends on the job alone, so that sums over pieces do not depend on the number of threads.</remarks>
internal readonly record struct RowPieces
{
    /// <summary>256 KiB of floats: a piece, its decoded twin and its bytes stay in the second-level cache of a core.</summary>
    private const int TargetFloats = 64 * 1024;

    private readonly long rows;
    private readonly long rowLength;

    /// <exception cref="QuantizationRefusedException">The rows that belong together do not fit a piece of memory.</exception>
    public RowPieces(WeightJob job)
    {
        (rows, rowLength) = (job.Rows, job.RowLength);
        var together = checked(job.RowAlignment * rowLength);
        if (together > Array.MaxLength)
            throw new QuantizationRefusedException($"{job.Name} has rows of {rowLength:N0} weights, of which {job.RowAlignment} are written at once; at most {Array.MaxLength:N0} weights can be.");
        RowsOfOne = Math.Max(1, TargetFloats / Math.Max(1, together)) * job.RowAlignment;
        Count = rowLength == 0 ? 0 : checked((int)((rows + RowsOfOne - 1) / RowsOfOne));
    }

    public int Count { get; }

    /// <summary>Rows of every piece but the last.</summary>
    public long RowsOfOne { get; }

    /// <summary>Floats of the largest piece.</summary>
    public int Floats => checked((int)(Math.Min(RowsOfOne, rows) * rowLength));

    public (long FirstRow, int Floats) this[int index]
    {
        get
        {
            var first = index * RowsOfOne;
            return (first, (int)(Math.Min(RowsOfOne, rows - first) * rowLength));
        }
    }
}

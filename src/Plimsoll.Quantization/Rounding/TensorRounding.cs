using Plimsoll.Numerics;
using Plimsoll.Numerics.Codecs;
using Plimsoll.Quantization.Output;
using Plimsoll.Quantization.Running;

namespace Plimsoll.Quantization.Rounding;

/// <summary>What a format makes of the numbers of one parameter: encoded and decoded again by the job that would write them.</summary>
/// <remarks>Whoever trains with such numbers and writes the numbers that they were rounded from has trained what the file decodes to, to the bit.</remarks>
public sealed unsafe class TensorRounding
{
    private readonly WeightJob job;

    internal TensorRounding(WeightJob job) => this.job = job;

    /// <summary>The type of a parameter that stays a plain number; null where it is quantized.</summary>
    public NumberFormat? PlainType => job.Outputs is [{ Format: { Kind: NumberFormatKind.Float, BlockLength: 1, BlockBytes: 2 or 4 } format }] ? format : null;

    /// <summary>How the weights are stored: <c>Q4_0</c>, <c>GPTQ 4-bit, group 128</c>.</summary>
    public string TypeName => job.TypeName;

    /// <summary>Rounds a whole parameter.</summary>
    /// <param name="values">(rows, row length), in the order of the checkpoint; rows are rounded independently of each other.</param>
    /// <param name="rounded">Receives what <paramref name="values"/> are decoded to.</param>
    /// <exception cref="ArgumentException">The lengths are not those of the parameter.</exception>
    public void Round(ReadOnlySpan<float> values, Span<float> rounded, int threads)
    {
        if (values.Length != job.Rows * job.RowLength || rounded.Length != values.Length)
            throw new ArgumentException($"{job.Name} has {job.Rows} rows of {job.RowLength}, not {values.Length} and {rounded.Length} values", nameof(values));
        var pieces = new RowPieces(job);
        using var arena = new OutputArena(OutputArena.BytesFor(job));
        var buffers = arena.Rent(job, atEnd: false, threads);
        fixed (float* source = values, target = rounded)
        {
            var (from, to) = ((nint)source, (nint)target);
            Parallel.For(0, pieces.Count, new() { MaxDegreeOfParallelism = threads }, index =>
            {
                var (row, count) = pieces[index];
                var offset = row * job.RowLength;
                Round(row, new((float*)from + offset, count), new((float*)to + offset, count), buffers);
            });
        }
    }

    private void Round(long row, ReadOnlySpan<float> values, Span<float> rounded, OutputBuffers buffers)
    {
        if (PlainType is { } type)
        {
            // The job may copy what is stored, and other numbers are meant here.
            var bytes = buffers.Range(0, row * job.RowLength * type.BlockBytes, values.Length * type.BlockBytes);
            ElementCodec.Encode(type, values, bytes);
            ElementCodec.Decode(type, bytes, rounded);
        }
        else
        {
            job.EncodeRows(row, values, buffers);
            job.DecodeRows(row, rounded, buffers);
        }
    }
}

using System.Buffers;
using System.Runtime.InteropServices;
using Plimsoll.Checkpoints.Layouts;
using Plimsoll.Numerics;

namespace Plimsoll.Checkpoints.Data;

/// <summary>One signed byte per weight: w[o, k] = scale[o, g] · (n[o, k] − zero[o, g]).</summary>
/// <remarks>LLM.int8() (<c>SCB</c> is the largest magnitude of a row, so scale = SCB / 127), compressed-tensors <c>int-quantized</c>, torchao's int8 tensors.</remarks>
internal sealed class Int8Weight : IntegerWeight
{
    private readonly TensorHeader codes;
    private readonly TensorReader reader;
    private readonly int scaleCount;
    private readonly Lazy<float[]> scales;
    private readonly Lazy<float[]?> zeros;

    /// <param name="scale">One number, one per row, or (rows, groups).</param>
    /// <param name="divisor">What the stored scales are divided by.</param>
    /// <param name="zero">As many as scales; null for symmetric codes.</param>
    /// <exception cref="CheckpointFormatException">The tensors do not fit each other.</exception>
    public Int8Weight(ParameterStorage storage, TensorHeader codes, TensorHeader scale, float divisor, TensorHeader? zero, TensorReader reader)
        : base(storage, codes.Dimensions, 8, GroupLengthOf(codes, scale))
    {
        (this.codes, this.reader, scaleCount) = (codes, reader, checked((int)scale.Elements));
        if (codes.Strides is not null || codes.Format.BlockBytes != 1 || scaleCount != 1 && scaleCount != checked(Rows * Groups))
            throw SideTensor.Bad(scale, $"one scale, or one for each of {Rows:N0} rows and its groups", $"[{string.Join(", ", scale.Dimensions)}]");
        if (zero is not null && zero.Elements != scaleCount)
            throw SideTensor.Bad(zero, $"{scaleCount:N0} zero points, as there are scales", $"{zero.Elements:N0}");
        scales = new(() => Array.ConvertAll(SideTensor.Floats(reader, scale), value => value / divisor));
        zeros = new(() => zero is null ? null : SideTensor.Floats(reader, zero));
    }

    public override (int Lowest, int Highest) ZeroPoints => zeros.Value is { } zero ? Range<int>(Array.ConvertAll(zero, value => (int)value + 128)) : (128, 128);

    public override bool HasScalesOf(NumberFormat format) => AreOf(format, scales.Value);

    protected override void Read(long firstRow, int rows, Span<short> integers, Span<float> rowScales)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(integers.Length);
        try
        {
            var bytes = buffer.AsSpan(0, integers.Length);
            reader.Read(codes, firstRow * RowLength, bytes);
            var signed = MemoryMarshal.Cast<byte, sbyte>(bytes);
            for (var at = 0; at < signed.Length; at++)
                integers[at] = signed[at];
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        for (var at = 0; at < rowScales.Length; at++)
            rowScales[at] = scales.Value[ScaleOf(firstRow, at)];
        if (zeros.Value is { } zero)
        {
            for (var at = 0; at < integers.Length; at++)
            {
                var (row, column) = Math.DivRem(at, (int)RowLength);
                integers[at] -= (short)zero[ScaleOf(firstRow, row * Groups + column / GroupLength)];
            }
        }
    }

    private long ScaleOf(long firstRow, int at) => scaleCount == 1 ? 0 : firstRow * Groups + at;

    private static long GroupLengthOf(TensorHeader codes, TensorHeader scale)
    {
        if (codes.Dimensions.IsEmpty || codes.Elements == 0)
            throw SideTensor.Bad(codes, "rows of codes", "none");
        var (columns, rows) = (codes.Dimensions[^1], codes.Elements / codes.Dimensions[^1]);
        var groups = Math.Max(1, scale.Elements / rows);
        return (columns + groups - 1) / groups;
    }
}

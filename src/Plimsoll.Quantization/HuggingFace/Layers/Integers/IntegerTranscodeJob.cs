using System.Buffers;
using System.Collections.Immutable;
using Plimsoll.Checkpoints.Data;
using Plimsoll.Quantization.Output;

namespace Plimsoll.Quantization.HuggingFace.Layers.Integers;

/// <summary>Moves the integers and scales of a quantized layer into another layout: no weight changes.</summary>
internal sealed class IntegerTranscodeJob : LayerJob
{
    private readonly IntegerWeight source;
    private readonly IntegerPacking packing;

    private IntegerTranscodeJob(IntegerWeight source, IntegerPacking packing, string typeName) : base(source, typeName) => (this.source, this.packing, Outputs) = (source, packing, packing.Outputs);

    public override ImmutableArray<OutputTensor> Outputs { get; }

    public override int RowAlignment => packing.RowAlignment;

    /// <summary>The job, where the layout holds every integer, zero point and scale of the layer as it is; else null.</summary>
    public static IntegerTranscodeJob? Create(StoredWeight layer, IntegerPacking packing, string typeName)
    {
        if (layer is not IntegerWeight source || source.Bits != packing.Bits || source.GroupOfColumn is not null || source.GroupLength % packing.GroupLength != 0)
            return null;
        var (lowest, highest) = packing.ZeroPoints;
        var fits = lowest == highest ? source.IsSymmetric : source.ZeroPoints.Lowest >= lowest && source.ZeroPoints.Highest <= highest;
        return fits && source.HasScalesOf(packing.ScaleFormat) ? new(source, packing, typeName) : null;
    }

    public override void EncodeRows(long firstRow, ReadOnlySpan<float> values, OutputBuffers outputs)
    {
        var count = values.Length / Columns;
        using var buffer = new IntegerBuffer(count, packing);
        var rows = buffer.Rows;
        var integers = ArrayPool<short>.Shared.Rent(values.Length);
        var scales = ArrayPool<float>.Shared.Rent(count * source.Groups);
        try
        {
            source.ReadIntegers(firstRow, integers.AsSpan(0, values.Length), scales.AsSpan(0, count * source.Groups));
            for (var row = 0; row < count; row++)
            {
                for (var group = 0; group < rows.Groups; group++)
                {
                    var columns = rows.ColumnsOf(group);
                    var at = row * rows.Groups + group;
                    rows.Scales[at] = scales[row * source.Groups + columns.Start.Value / source.GroupLength];
                    rows.Zeros[at] = Shift(integers.AsSpan(row * Columns, Columns)[columns], rows.Row(row)[columns]);
                }
            }
        }
        finally
        {
            ArrayPool<short>.Shared.Return(integers);
            ArrayPool<float>.Shared.Return(scales);
        }
        packing.Write(firstRow, rows, outputs);
    }

    public override void DecodeRows(long firstRow, Span<float> values, OutputBuffers outputs) => IntegerBuffer.Decode(packing, firstRow, values, outputs);

    public override void Complete(OutputBuffers outputs) => packing.Complete(outputs);

    /// <summary>Codes from integers around zero: the zero point is the one nearest to the middle that leaves every code in range.</summary>
    private byte Shift(ReadOnlySpan<short> integers, Span<byte> codes)
    {
        var (minimum, maximum) = ((int)integers[0], (int)integers[0]);
        foreach (var integer in integers)
            (minimum, maximum) = (Math.Min(minimum, integer), Math.Max(maximum, integer));
        var zero = Math.Min(Math.Max(1 << (packing.Bits - 1), -minimum), (1 << packing.Bits) - 1 - maximum);
        for (var at = 0; at < codes.Length; at++)
            codes[at] = (byte)(integers[at] + zero);
        return (byte)zero;
    }
}

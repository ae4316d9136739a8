using System.Collections.Immutable;
using Plimsoll.Checkpoints.Data;
using Plimsoll.Numerics;
using Plimsoll.Numerics.Codecs;
using Plimsoll.Quantization.Output;

namespace Plimsoll.Quantization.HuggingFace;

/// <summary>Writes a parameter as plain numbers of another type, whatever layout it comes from. What is too large for FP16 becomes its largest number.</summary>
internal sealed class CastJob(StoredWeight weight, NumberFormat format) : WeightJob
{
    public override string Name => weight.Name;

    public override ImmutableArray<OutputTensor> Outputs { get; } = [OutputTensor.Create(weight.Name, format, weight.Dimensions)];

    public override long Rows => weight.Rows;

    public override long RowLength => weight.RowLength;

    public override IEnumerable<StoredWeight> Sources => [weight];

    public override void ReadRows(long firstRow, Span<float> values) => weight.ReadRows(firstRow, values);

    public override void EncodeRows(long firstRow, ReadOnlySpan<float> values, OutputBuffers outputs) =>
        ElementCodec.Encode(format, values, Bytes(firstRow, values.Length, outputs), FloatOverflow.Saturate);

    public override void DecodeRows(long firstRow, Span<float> values, OutputBuffers outputs) =>
        ElementCodec.Decode(format, Bytes(firstRow, values.Length, outputs), values);

    private Span<byte> Bytes(long firstRow, int count, OutputBuffers outputs) =>
        outputs.Range(0, checked(firstRow * RowLength * format.BlockBytes), checked(count * format.BlockBytes));
}

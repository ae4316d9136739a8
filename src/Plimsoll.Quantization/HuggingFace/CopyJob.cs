using System.Collections.Immutable;
using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.Data;
using Plimsoll.Numerics.Codecs;
using Plimsoll.Quantization.Output;

namespace Plimsoll.Quantization.HuggingFace;

/// <summary>Writes a tensor as it is stored, byte for byte; what is no float (indices, masks) as well.</summary>
internal sealed class CopyJob(StoredWeight weight, TensorHeader tensor, TensorReader reader) : WeightJob
{
    private readonly int rowBytes = checked((int)tensor.Format.BytesFor(weight.RowLength));

    public override string Name => weight.Name;

    public override ImmutableArray<OutputTensor> Outputs { get; } = [OutputTensor.Create(tensor.Name, tensor.Format, tensor.Dimensions)];

    public override long Rows => weight.Rows;

    public override long RowLength => weight.RowLength;

    public override void ReadRows(long firstRow, Span<float> values) => weight.ReadRows(firstRow, values);

    public override void EncodeRows(long firstRow, ReadOnlySpan<float> values, OutputBuffers outputs) =>
        reader.Read(tensor, firstRow * rowBytes, Bytes(firstRow, values.Length, outputs));

    public override void DecodeRows(long firstRow, Span<float> values, OutputBuffers outputs) =>
        ElementCodec.Decode(tensor.Format, Bytes(firstRow, values.Length, outputs), values);

    private Span<byte> Bytes(long firstRow, int count, OutputBuffers outputs) =>
        outputs.Range(0, firstRow * rowBytes, checked((int)tensor.Format.BytesFor(count)));
}

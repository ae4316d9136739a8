using System.Collections.Immutable;
using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.Data;

namespace Plimsoll.Quantization.Output;

/// <summary>Writes a tensor as it is stored, byte for byte; ggml blocks and what is no float (indices, masks) as well.</summary>
internal sealed class CopyJob(StoredWeight weight, TensorHeader tensor, TensorReader reader) : WeightJob
{
    private readonly int rowBytes = checked((int)tensor.Format.BytesFor(weight.RowLength));

    public override string Name => weight.Name;

    public override ImmutableArray<OutputTensor> Outputs { get; } = [OutputTensor.Create(tensor.Name, tensor.Format, tensor.Dimensions)];

    public override long Rows => weight.Rows;

    public override long RowLength => weight.RowLength;

    public override IEnumerable<StoredWeight> Sources => [weight];

    public override void ReadRows(long firstRow, Span<float> values) => weight.ReadRows(firstRow, values);

    public override void EncodeRows(long firstRow, ReadOnlySpan<float> values, OutputBuffers outputs) =>
        reader.Read(tensor, firstRow * rowBytes, outputs.Range(0, firstRow * rowBytes, checked((int)tensor.Format.BytesFor(values.Length))));

    public override void DecodeRows(long firstRow, Span<float> values, OutputBuffers outputs) => weight.ReadRows(firstRow, values);
}

using System.Collections.Immutable;
using Plimsoll.Checkpoints.Data;
using Plimsoll.Quantization.Gguf.Rows;
using Plimsoll.Quantization.Output;

namespace Plimsoll.Quantization.Gguf;

/// <summary>Copies the blocks of a tensor that has the wanted type already: bytes for bytes.</summary>
internal sealed class GgufCopyJob(OutputTensor output, StoredRows rows) : WeightJob
{
    private readonly int _rowBytes = checked((int)output.Format.BytesFor(rows.RowLength));

    public override string Name => output.Name;

    public override ImmutableArray<OutputTensor> Outputs { get; } = [output];

    public override long Rows => rows.Rows;

    public override long RowLength => rows.RowLength;

    public override void ReadRows(long firstRow, Span<float> values) => rows.Read(firstRow, values);

    public override void EncodeRows(long firstRow, ReadOnlySpan<float> values, OutputBuffers outputs)
    {
        using var reader = new TensorReader();
        reader.Read(rows.Weight.Storage.Main, firstRow * _rowBytes, outputs.Range(0, firstRow * _rowBytes, values.Length / (int)RowLength * _rowBytes));
    }

    public override void DecodeRows(long firstRow, Span<float> values, OutputBuffers outputs) => rows.Read(firstRow, values);
}

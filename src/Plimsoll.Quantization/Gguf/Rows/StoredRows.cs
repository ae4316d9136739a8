using Plimsoll.Checkpoints.Data;

namespace Plimsoll.Quantization.Gguf.Rows;

/// <summary>A parameter of the source as it is stored.</summary>
internal sealed class StoredRows(StoredWeight weight) : TensorRows(weight.Dimensions.IsEmpty ? [1] : weight.Dimensions)
{
    public StoredWeight Weight { get; } = weight;

    public override StoredRow? OriginOf(long row) => new(Weight, row);

    public override void Read(long firstRow, Span<float> values) => Weight.ReadRows(firstRow, values);
}

using Plimsoll.Checkpoints.Data;
using Plimsoll.Quantization.Output;

namespace Plimsoll.Quantization.HuggingFace.Layers;

/// <summary>A job for one linear layer.</summary>
/// <param name="typeName">How it is stored afterwards, for the report.</param>
internal abstract class LayerJob(StoredWeight layer, string typeName) : WeightJob
{
    public override string TypeName => typeName;

    public override string Name => layer.Name;

    public override long Rows => layer.Rows;

    public override long RowLength => layer.RowLength;

    protected StoredWeight Layer => layer;

    protected int Columns => (int)layer.RowLength;

    public override IEnumerable<StoredWeight> Sources => [layer];

    public override void ReadRows(long firstRow, Span<float> values) => layer.ReadRows(firstRow, values);
}

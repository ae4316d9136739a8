using System.Collections.Immutable;
using Plimsoll.Checkpoints.Data;
using Plimsoll.Numerics.Quantizers;
using Plimsoll.Quantization.Output;

namespace Plimsoll.Quantization.HuggingFace.Layers.Floats;

/// <summary>Writes the layers of one fused matrix as NVFP4, with one scale of the whole: the rows of the layers follow one another.</summary>
internal sealed class Nvfp4Job : WeightJob
{
    private readonly ImmutableArray<StoredWeight> layers;
    private readonly ImmutableArray<Fp4Tensors> tensors;
    private readonly string typeName;
    private readonly Lock gate = new();
    private readonly int columns;
    private float largest;

    public Nvfp4Job(ImmutableArray<StoredWeight> layers, string typeName)
    {
        (this.layers, this.typeName, columns) = (layers, typeName, (int)layers[0].RowLength);
        tensors = [.. layers.Select((layer, index) => new Fp4Tensors(layer, isNvfp4: true, 3 * index))];
        Rows = layers.Sum(layer => layer.Rows);
        Outputs = [.. tensors.SelectMany(tensor => tensor.Outputs)];
    }

    public override string Name => layers.Length == 1 ? layers[0].Name : string.Join(" + ", layers.Select(layer => layer.Name));

    public override string TypeName => typeName;

    public override ImmutableArray<OutputTensor> Outputs { get; }

    public override long Rows { get; }

    public override long RowLength => columns;

    public override IEnumerable<StoredWeight> Sources => layers;

    /// <summary>The scale of the whole needs the largest weight.</summary>
    public override bool NeedsObservation => true;

    private float Divisor => MicroScaling.NvGlobalDivisor(largest);

    public override void ReadRows(long firstRow, Span<float> values)
    {
        while (!values.IsEmpty)
        {
            var (layer, row) = Find(firstRow);
            var count = (int)Math.Min(values.Length / columns, layers[layer].Rows - row);
            layers[layer].ReadRows(row, values[..(count * columns)]);
            values = values[(count * columns)..];
            firstRow += count;
        }
    }

    public override void Observe(long firstRow, ReadOnlySpan<float> values)
    {
        var piece = GroupQuantizer.Largest(values);
        lock (gate)
            largest = Math.Max(largest, piece);
    }

    public override void EncodeRows(long firstRow, ReadOnlySpan<float> values, OutputBuffers outputs)
    {
        var divisor = Divisor;
        for (var at = 0; at < values.Length / columns; at++)
        {
            var (layer, row) = Find(firstRow + at);
            tensors[layer].Encode(row, values.Slice(at * columns, columns), outputs, (weights, codes) => MicroScaling.EncodeNv(weights, divisor, codes));
        }
    }

    public override void DecodeRows(long firstRow, Span<float> values, OutputBuffers outputs)
    {
        var divisor = Divisor;
        for (var at = 0; at < values.Length / columns; at++)
        {
            var (layer, row) = Find(firstRow + at);
            tensors[layer].Decode(row, values.Slice(at * columns, columns), outputs, scale => MicroScaling.Fp8Scale(scale) / divisor);
        }
    }

    public override void Complete(OutputBuffers outputs)
    {
        foreach (var tensor in tensors)
            tensor.WriteDivisor(Divisor, outputs);
    }

    /// <summary>The layer that a row belongs to, and its number there.</summary>
    private (int Layer, long Row) Find(long row)
    {
        var layer = 0;
        for (; row >= layers[layer].Rows; layer++)
            row -= layers[layer].Rows;
        return (layer, row);
    }
}

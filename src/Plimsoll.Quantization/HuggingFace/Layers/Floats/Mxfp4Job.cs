using System.Collections.Immutable;
using Plimsoll.Checkpoints.Data;
using Plimsoll.Numerics.Quantizers;
using Plimsoll.Quantization.Output;

namespace Plimsoll.Quantization.HuggingFace.Layers.Floats;

/// <summary>Writes a layer as MXFP4.</summary>
internal sealed class Mxfp4Job(StoredWeight layer, string typeName) : LayerJob(layer, typeName)
{
    private readonly Fp4Tensors tensors = new(layer, isNvfp4: false, 0);

    public override ImmutableArray<OutputTensor> Outputs => tensors.Outputs;

    public override void EncodeRows(long firstRow, ReadOnlySpan<float> values, OutputBuffers outputs)
    {
        for (var row = 0; row < values.Length / Columns; row++)
            tensors.Encode(firstRow + row, values.Slice(row * Columns, Columns), outputs, MicroScaling.EncodeMx);
    }

    public override void DecodeRows(long firstRow, Span<float> values, OutputBuffers outputs)
    {
        for (var row = 0; row < values.Length / Columns; row++)
            tensors.Decode(firstRow + row, values.Slice(row * Columns, Columns), outputs, MicroScaling.PowerOfTwo);
    }
}

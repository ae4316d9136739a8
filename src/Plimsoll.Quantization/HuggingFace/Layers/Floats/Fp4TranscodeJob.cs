using System.Collections.Immutable;
using Plimsoll.Checkpoints.Data;
using Plimsoll.Numerics.Packing;
using Plimsoll.Numerics.Quantizers;
using Plimsoll.Quantization.Output;

namespace Plimsoll.Quantization.HuggingFace.Layers.Floats;

/// <summary>Moves FP4 codes and their scale bytes from another layout (ModelOpt, DeepSeek) as they are. The scale of the tensor becomes a divisor.</summary>
internal sealed class Fp4TranscodeJob(Fp4Weight layer, string typeName) : LayerJob(layer, typeName)
{
    private readonly Fp4Tensors tensors = new(layer, layer.IsNvfp4, 0);

    public override ImmutableArray<OutputTensor> Outputs => tensors.Outputs;

    public override void EncodeRows(long firstRow, ReadOnlySpan<float> values, OutputBuffers outputs)
    {
        var count = values.Length / Columns;
        var codes = new byte[values.Length];
        layer.ReadCodes(firstRow, codes, tensors.Scales(firstRow, count, outputs));
        Nibbles.PackLowFirst(codes, tensors.Packed(firstRow, count, outputs));
    }

    public override void DecodeRows(long firstRow, Span<float> values, OutputBuffers outputs)
    {
        var divisor = 1 / layer.TensorScale(0);
        for (var row = 0; row < values.Length / Columns; row++)
            tensors.Decode(firstRow + row, values.Slice(row * Columns, Columns), outputs, scale => layer.IsNvfp4 ? MicroScaling.Fp8Scale(scale) / divisor : MicroScaling.PowerOfTwo(scale));
    }

    public override void Complete(OutputBuffers outputs)
    {
        if (layer.IsNvfp4)
            tensors.WriteDivisor(1 / layer.TensorScale(0), outputs);
    }
}

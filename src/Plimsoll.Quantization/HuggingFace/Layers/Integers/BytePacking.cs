using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Plimsoll.Numerics;
using Plimsoll.Numerics.Codecs;
using Plimsoll.Quantization.Output;

namespace Plimsoll.Quantization.HuggingFace.Layers.Integers;

/// <summary>A signed byte per weight and a scale per row: weight (out, in) I8 and its scales.</summary>
/// <param name="scale">The tensor of the scales.</param>
/// <param name="unit">What a stored scale is divided by: 127 where the row's largest magnitude is stored.</param>
internal abstract class BytePacking(string module, long outputs, long inputs, OutputTensor scale, float unit)
    : IntegerPacking(outputs, inputs, 8, -1, scale.Format)
{
    private const int Middle = 128;

    public override (int Lowest, int Highest) ZeroPoints => (Middle, Middle);

    public override ImmutableArray<OutputTensor> Outputs => [OutputTensor.Create(module + ".weight", NumberFormats.Int8, Rows, Columns), scale];

    public override float Stored(float scale) => base.Stored(scale * unit) / unit;

    public override void Write(long firstRow, IntegerRows rows, OutputBuffers outputs)
    {
        var bytes = MemoryMarshal.Cast<byte, sbyte>(outputs.Range(0, firstRow * Columns, rows.Codes.Length));
        for (var at = 0; at < bytes.Length; at++)
            bytes[at] = (sbyte)(rows.Codes[at] - Middle);
        var scales = new float[rows.Count];
        for (var row = 0; row < scales.Length; row++)
            scales[row] = rows.Scales[row] * unit;
        ElementCodec.Encode(ScaleFormat, scales, ScalesOf(outputs, firstRow, rows.Count), FloatOverflow.Saturate);
    }

    public override void Read(long firstRow, IntegerRows rows, OutputBuffers outputs)
    {
        var bytes = MemoryMarshal.Cast<byte, sbyte>(outputs.Range(0, firstRow * Columns, rows.Codes.Length));
        for (var at = 0; at < bytes.Length; at++)
            rows.Codes[at] = (byte)(bytes[at] + Middle);
        ElementCodec.Decode(ScaleFormat, ScalesOf(outputs, firstRow, rows.Count), rows.Scales);
        for (var row = 0; row < rows.Count; row++)
            rows.Scales[row] /= unit;
        rows.Zeros.Fill(Middle);
    }

    private Span<byte> ScalesOf(OutputBuffers outputs, long firstRow, int count) =>
        outputs.Range(1, firstRow * ScaleFormat.BlockBytes, count * ScaleFormat.BlockBytes);
}

/// <summary>compressed-tensors <c>int-quantized</c>: weight_scale (out, 1).</summary>
internal sealed class IntQuantizedPacking(string module, long outputs, long inputs, NumberFormat scaleFormat)
    : BytePacking(module, outputs, inputs, OutputTensor.Create(module + ".weight_scale", scaleFormat, outputs, 1), 1);

/// <summary>bitsandbytes LLM.int8(): SCB (out), the largest magnitude of each row, and weight_format 0, row-major.</summary>
internal sealed class LlmInt8Packing(string module, long outputs, long inputs)
    : BytePacking(module, outputs, inputs, OutputTensor.Create(module + ".SCB", NumberFormats.Fp32, outputs), 127)
{
    private readonly string module = module;

    public override ImmutableArray<OutputTensor> Outputs => base.Outputs.Add(OutputTensor.Create(module + ".weight_format", NumberFormats.UInt8));

    public override void Complete(OutputBuffers outputs) => outputs.Range(2, 0, 1)[0] = 0;
}

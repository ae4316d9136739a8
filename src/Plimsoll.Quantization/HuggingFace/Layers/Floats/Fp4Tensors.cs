using System.Buffers.Binary;
using System.Collections.Immutable;
using Plimsoll.Checkpoints.Data;
using Plimsoll.Numerics;
using Plimsoll.Numerics.Packing;
using Plimsoll.Numerics.Quantizers;
using Plimsoll.Quantization.Output;

namespace Plimsoll.Quantization.HuggingFace.Layers.Floats;

/// <summary>The tensors of one layer in compressed-tensors' FP4 layouts, and where rows lie in them.</summary>
/// <remarks>weight_packed (out, in / 2) U8, low nibble first; weight_scale (out, in / block) E4M3 or E8M0 bytes; for NVFP4 weight_global_scale (1) F32, a divisor.</remarks>
/// <param name="first">The index of the first of them among the outputs of the job.</param>
internal sealed class Fp4Tensors(StoredWeight layer, bool isNvfp4, int first)
{
    private readonly int columns = (int)layer.RowLength;
    private readonly int block = isNvfp4 ? MicroScaling.NvBlock : MicroScaling.MxBlock;

    public ImmutableArray<OutputTensor> Outputs
    {
        get
        {
            var (module, rows) = (layer.Storage.Module, layer.Rows);
            ImmutableArray<OutputTensor> outputs =
            [
                OutputTensor.Create(module + ".weight_packed", NumberFormats.UInt8, rows, columns / 2),
                OutputTensor.Create(module + ".weight_scale", isNvfp4 ? NumberFormats.Fp8E4M3 : NumberFormats.UInt8, rows, columns / block),
            ];
            return isNvfp4 ? outputs.Add(OutputTensor.Create(module + ".weight_global_scale", NumberFormats.Fp32, 1)) : outputs;
        }
    }

    /// <summary>Encodes one row, block after block.</summary>
    /// <param name="encode">From the weights of a block to its codes and scale byte.</param>
    public void Encode(long row, ReadOnlySpan<float> values, OutputBuffers outputs, BlockEncoder encode)
    {
        Span<byte> codes = stackalloc byte[block];
        var packed = Packed(row, 1, outputs);
        var scales = Scales(row, 1, outputs);
        for (var at = 0; at < scales.Length; at++)
        {
            scales[at] = encode(values.Slice(at * block, block), codes);
            Nibbles.PackLowFirst(codes, packed.Slice(at * block / 2, block / 2));
        }
    }

    /// <param name="scaleOf">The value of a scale byte.</param>
    public void Decode(long row, Span<float> values, OutputBuffers outputs, Func<byte, float> scaleOf)
    {
        Span<byte> codes = stackalloc byte[block];
        ReadOnlySpan<byte> packed = Packed(row, 1, outputs);
        ReadOnlySpan<byte> scales = Scales(row, 1, outputs);
        for (var at = 0; at < scales.Length; at++)
        {
            Nibbles.UnpackLowFirst(packed.Slice(at * block / 2, block / 2), codes);
            MicroScaling.Decode(codes, scaleOf(scales[at]), values.Slice(at * block, block));
        }
    }

    /// <summary>The bytes of the codes of some rows.</summary>
    public Span<byte> Packed(long row, int count, OutputBuffers outputs) => outputs.Range(first, row * columns / 2, count * columns / 2);

    /// <summary>The scale bytes of some rows.</summary>
    public Span<byte> Scales(long row, int count, OutputBuffers outputs) => outputs.Range(first + 1, row * (columns / block), count * (columns / block));

    /// <summary>Writes the scale of the whole tensor.</summary>
    public void WriteDivisor(float divisor, OutputBuffers outputs) => BinaryPrimitives.WriteSingleLittleEndian(outputs.Range(first + 2, 0, sizeof(float)), divisor);

    public delegate byte BlockEncoder(ReadOnlySpan<float> weights, Span<byte> codes);
}

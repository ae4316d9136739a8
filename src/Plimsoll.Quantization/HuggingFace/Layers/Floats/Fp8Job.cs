using System.Collections.Immutable;
using Plimsoll.Checkpoints.Data;
using Plimsoll.Numerics;
using Plimsoll.Numerics.Codecs;
using Plimsoll.Numerics.Quantizers;
using Plimsoll.Quantization.Output;

namespace Plimsoll.Quantization.HuggingFace.Layers.Floats;

/// <summary>Writes a layer as FP8 E4M3 codes (out, in) and scales: one, (out, 1), or (out / 128, in / 128).</summary>
internal sealed class Fp8Job(StoredWeight layer, Fp8Sharing sharing, string scaleName, NumberFormat scaleFormat, string typeName) : LayerJob(layer, typeName)
{
    public const int BlockSide = 128;

    private readonly Lock gate = new();
    private float largest;

    public override ImmutableArray<OutputTensor> Outputs { get; } =
    [
        OutputTensor.Create(layer.Name, NumberFormats.Fp8E4M3, layer.Dimensions),
        OutputTensor.Create(layer.Storage.Module + scaleName, scaleFormat, sharing switch
        {
            Fp8Sharing.Tensor => [1],
            Fp8Sharing.Channel => [layer.Rows, 1],
            _ => [layer.Rows / BlockSide, layer.RowLength / BlockSide],
        }),
    ];

    public override int RowAlignment => sharing == Fp8Sharing.Block ? BlockSide : 1;

    public override bool NeedsObservation => sharing == Fp8Sharing.Tensor;

    /// <summary>Rows and columns of a rectangle that shares a scale.</summary>
    private (int Rows, int Columns) Block => sharing == Fp8Sharing.Block ? (BlockSide, BlockSide) : (1, Columns);

    public override void Observe(long firstRow, ReadOnlySpan<float> values)
    {
        var piece = GroupQuantizer.Largest(values);
        lock (gate)
            largest = Math.Max(largest, piece);
    }

    public override void EncodeRows(long firstRow, ReadOnlySpan<float> values, OutputBuffers outputs)
    {
        var codes = outputs.Range(0, firstRow * Columns, values.Length);
        var (rows, columns) = Block;
        for (var row = 0; row < values.Length / Columns; row += rows)
        {
            for (var column = 0; column < Columns; column += columns)
            {
                var amax = sharing == Fp8Sharing.Tensor ? largest : 0;
                for (var inside = 0; inside < rows && sharing != Fp8Sharing.Tensor; inside++)
                    amax = Math.Max(amax, GroupQuantizer.Largest(values.Slice((row + inside) * Columns + column, columns)));
                var scale = Store(amax, firstRow + row, column, outputs);
                for (var inside = 0; inside < rows; inside++)
                    Fp8Quantizer.Encode(values.Slice((row + inside) * Columns + column, columns), scale, codes.Slice((row + inside) * Columns + column, columns));
            }
        }
    }

    public override void DecodeRows(long firstRow, Span<float> values, OutputBuffers outputs)
    {
        var codes = outputs.Range(0, firstRow * Columns, values.Length);
        var columns = Block.Columns;
        Span<float> scale = stackalloc float[1];
        for (var at = 0; at < values.Length; at += columns)
        {
            ElementCodec.Decode(scaleFormat, ScaleOf(firstRow + at / Columns, at % Columns, outputs), scale);
            Fp8Quantizer.Decode(codes.Slice(at, columns), scale[0], values.Slice(at, columns));
        }
    }

    /// <summary>Writes the scale of a rectangle; returns it as it will be read.</summary>
    private float Store(float amax, long row, int column, OutputBuffers outputs)
    {
        Span<byte> code = stackalloc byte[scaleFormat.BlockBytes];
        Span<float> stored = stackalloc float[1];
        ElementCodec.Encode(scaleFormat, [Fp8Quantizer.ScaleOf(amax)], code, FloatOverflow.Saturate);
        ElementCodec.Decode(scaleFormat, code, stored);
        // A scale that FP16 cannot tell from 0.
        if (stored[0] == 0)
        {
            stored[0] = 1;
            ElementCodec.Encode(scaleFormat, stored, code);
        }
        // Every range of rows of a tensor with one scale writes the same bytes.
        code.CopyTo(ScaleOf(row, column, outputs));
        return stored[0];
    }

    private Span<byte> ScaleOf(long row, int column, OutputBuffers outputs)
    {
        var index = sharing switch
        {
            Fp8Sharing.Tensor => 0,
            Fp8Sharing.Channel => row,
            _ => row / BlockSide * (Columns / BlockSide) + column / BlockSide,
        };
        return outputs.Range(1, index * scaleFormat.BlockBytes, scaleFormat.BlockBytes);
    }
}

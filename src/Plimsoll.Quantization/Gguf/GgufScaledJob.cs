using System.Buffers;
using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Plimsoll.Checkpoints.Data;
using Plimsoll.Numerics;
using Plimsoll.Numerics.Blocks;
using Plimsoll.Quantization.Output;

namespace Plimsoll.Quantization.Gguf;

/// <summary>Encodes a tensor as NVFP4 with a scale for each matrix beside it, which llama.cpp multiplies into the product: <c>NAME.weight</c> and <c>NAME.scale</c>.</summary>
/// <remarks>
/// The scales of NVFP4's blocks are E4M3 numbers, which have few digits below 2^-6 and none below 2^-9, where those of ordinary weights would lie. With
/// scale = largest magnitude / (6 · 448) they fill the whole range: 6 is the largest E2M1 code, 448 the largest E4M3 number. Source: NVIDIA Model Optimizer
/// (weights_scaling_factor_2), llama.cpp conversion/base.py.
/// </remarks>
internal sealed class GgufScaledJob : WeightJob
{
    private const float LargestStored = 6 * 448;

    private readonly GgufSource source;
    private readonly BlockCodec codec;
    private readonly BlockSearch search;
    private readonly ReadOnlyMemory<float> importance;
    private readonly long matrixRows;
    private readonly int rowBytes;
    private readonly float[] largest;
    private readonly Lock gate = new();

    public GgufScaledJob(OutputTensor output, GgufSource source, BlockCodec codec, ReadOnlyMemory<float> importance, BlockSearch search)
    {
        (this.source, this.codec, this.importance, this.search) = (source, codec, importance, search);
        var matrices = output.Dimensions.Length > 2 ? output.Dimensions[0] : 1;
        matrixRows = source.Rows.Rows / matrices;
        rowBytes = checked((int)output.Format.BytesFor(source.Rows.RowLength));
        largest = new float[matrices];
        Outputs = [output, OutputTensor.Create(ScaleOf(output.Name), NumberFormats.Fp32, matrices)];
    }

    public override string Name => Outputs[0].Name;

    public override ImmutableArray<OutputTensor> Outputs { get; }

    public override long Rows => source.Rows.Rows;

    public override long RowLength => source.Rows.RowLength;

    public override bool NeedsObservation => true;

    public override IEnumerable<StoredWeight> Sources => source.Sources;

    /// <summary>The name of the scale of a weight.</summary>
    public static string ScaleOf(string weight) => weight[..^"weight".Length] + "scale";

    public override void ReadRows(long firstRow, Span<float> values) => source.Rows.Read(firstRow, values);

    public override void Observe(long firstRow, ReadOnlySpan<float> values)
    {
        var length = (int)RowLength;
        for (var row = firstRow; !values.IsEmpty; row++, values = values[length..])
        {
            var most = 0f;
            foreach (var value in values[..length])
                most = Math.Max(most, Math.Abs(value));
            lock (gate)
                largest[row / matrixRows] = Math.Max(largest[row / matrixRows], most);
        }
    }

    public override void EncodeRows(long firstRow, ReadOnlySpan<float> values, OutputBuffers outputs)
    {
        var length = (int)RowLength;
        var row = ArrayPool<float>.Shared.Rent(length);
        for (var index = firstRow; !values.IsEmpty; index++, values = values[length..])
        {
            var matrix = index / matrixRows;
            var scaled = row.AsSpan(0, length);
            var scale = Scale(matrix);
            for (var column = 0; column < length; column++)
                scaled[column] = values[column] / scale;
            var weights = importance.IsEmpty ? default : importance.Span.Slice((int)(matrix * length), length);
            codec.Encode(scaled, length, outputs.Range(0, index * rowBytes, rowBytes), weights, search);
        }
        ArrayPool<float>.Shared.Return(row);
    }

    public override void DecodeRows(long firstRow, Span<float> values, OutputBuffers outputs)
    {
        var length = (int)RowLength;
        codec.Decode(outputs.Range(0, firstRow * rowBytes, values.Length / length * rowBytes), values);
        for (var row = firstRow; !values.IsEmpty; row++, values = values[length..])
        {
            foreach (ref var value in values[..length])
                value *= Scale(row / matrixRows);
        }
    }

    public override void Complete(OutputBuffers outputs)
    {
        var scales = MemoryMarshal.Cast<byte, float>(outputs.Range(1, 0, largest.Length * sizeof(float)));
        for (var matrix = 0; matrix < largest.Length; matrix++)
            scales[matrix] = Scale(matrix);
    }

    private float Scale(long matrix) => largest[matrix] > 0 ? largest[matrix] / LargestStored : 1;
}

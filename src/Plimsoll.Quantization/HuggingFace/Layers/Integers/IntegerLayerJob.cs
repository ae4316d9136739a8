using System.Buffers;
using System.Collections.Immutable;
using Plimsoll.Checkpoints.Data;
using Plimsoll.Quantization.HuggingFace.Layers.Integers.Rounding;
using Plimsoll.Quantization.Output;

namespace Plimsoll.Quantization.HuggingFace.Layers.Integers;

/// <summary>Rounds a layer to integers and packs them.</summary>
internal sealed class IntegerLayerJob(StoredWeight layer, IntegerPacking packing, IntegerRounder rounder, string typeName) : LayerJob(layer, typeName)
{
    public override ImmutableArray<OutputTensor> Outputs { get; } = packing.Outputs;

    public override int RowAlignment => Math.Max(packing.RowAlignment, rounder.RowAlignment);

    public override void EncodeRows(long firstRow, ReadOnlySpan<float> values, OutputBuffers outputs)
    {
        using var buffer = new IntegerBuffer(values.Length / Columns, packing);
        rounder.Round(values, buffer.Rows);
        packing.Write(firstRow, buffer.Rows, outputs);
    }

    public override void DecodeRows(long firstRow, Span<float> values, OutputBuffers outputs) => IntegerBuffer.Decode(packing, firstRow, values, outputs);

    public override void Complete(OutputBuffers outputs) => packing.Complete(outputs);
}

/// <summary>Memory for <see cref="IntegerRows"/>, borrowed for one piece of a layer.</summary>
internal readonly ref struct IntegerBuffer : IDisposable
{
    private readonly byte[] codes;
    private readonly float[] scales;
    private readonly byte[] zeros;

    public IntegerBuffer(int rows, IntegerPacking packing)
    {
        var groups = rows * packing.Groups;
        codes = ArrayPool<byte>.Shared.Rent(rows * packing.Columns);
        scales = ArrayPool<float>.Shared.Rent(groups);
        zeros = ArrayPool<byte>.Shared.Rent(groups);
        Rows = new(packing.Columns, packing.GroupLength, codes.AsSpan(0, rows * packing.Columns), scales.AsSpan(0, groups), zeros.AsSpan(0, groups));
    }

    public IntegerRows Rows { get; }

    /// <summary>What packed rows stand for.</summary>
    public static void Decode(IntegerPacking packing, long firstRow, Span<float> values, OutputBuffers outputs)
    {
        using var buffer = new IntegerBuffer(values.Length / packing.Columns, packing);
        packing.Read(firstRow, buffer.Rows, outputs);
        buffer.Rows.Decode(values);
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(codes);
        ArrayPool<float>.Shared.Return(scales);
        ArrayPool<byte>.Shared.Return(zeros);
    }
}

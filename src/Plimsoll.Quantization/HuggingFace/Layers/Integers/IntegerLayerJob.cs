using System.Buffers;
using System.Collections.Immutable;
using Plimsoll.Checkpoints.Data;
using Plimsoll.Numerics.Quantizers;
using Plimsoll.Quantization.Output;

namespace Plimsoll.Quantization.HuggingFace.Layers.Integers;

/// <summary>How the codes of a group are spread over its weights.</summary>
internal enum IntegerRange
{
    /// <summary>Zero is the middle code and all codes are used: 7.5 steps to the largest magnitude for four bits.</summary>
    Symmetric,

    /// <summary>Zero is the middle code and the smallest code is not used: 127 steps for eight bits (LLM.int8()).</summary>
    Restricted,

    /// <summary>The range from the smallest to the largest weight, zero included.</summary>
    Asymmetric,
}

/// <summary>Rounds a layer to the nearest integers and packs them.</summary>
internal sealed class IntegerLayerJob(StoredWeight layer, IntegerPacking packing, IntegerRange range, string typeName) : LayerJob(layer, typeName)
{
    public override ImmutableArray<OutputTensor> Outputs { get; } = packing.Outputs;

    public override int RowAlignment => packing.RowAlignment;

    public override void EncodeRows(long firstRow, ReadOnlySpan<float> values, OutputBuffers outputs)
    {
        using var buffer = new IntegerBuffer(values.Length / Columns, packing);
        var rows = buffer.Rows;
        for (var row = 0; row < rows.Count; row++)
        {
            for (var group = 0; group < rows.Groups; group++)
            {
                var columns = rows.ColumnsOf(group);
                var at = row * rows.Groups + group;
                (rows.Scales[at], rows.Zeros[at]) = Choose(values.Slice(row * Columns, Columns)[columns], rows.Row(row)[columns]);
            }
        }
        packing.Write(firstRow, rows, outputs);
    }

    public override void DecodeRows(long firstRow, Span<float> values, OutputBuffers outputs) => IntegerBuffer.Decode(packing, firstRow, values, outputs);

    public override void Complete(OutputBuffers outputs) => packing.Complete(outputs);

    /// <summary>Scale, zero point and codes of one group.</summary>
    private (float Scale, byte Zero) Choose(ReadOnlySpan<float> group, Span<byte> codes)
    {
        var (bits, middle) = (packing.Bits, (byte)(1 << (packing.Bits - 1)));
        if (range == IntegerRange.Asymmetric)
        {
            var (chosen, minimum) = GroupQuantizer.AsymmetricScale(group, bits);
            var stored = packing.Stored(chosen);
            var zero = (byte)Math.Clamp((int)GroupQuantizer.ZeroPoint(minimum, stored, bits), packing.ZeroPoints.Lowest, packing.ZeroPoints.Highest);
            GroupQuantizer.Encode(group, stored, zero, bits, codes);
            return (stored, zero);
        }
        var isRestricted = range == IntegerRange.Restricted;
        var scale = packing.Stored(isRestricted ? GroupQuantizer.Largest(group) / (middle - 1) : GroupQuantizer.SymmetricScale(group, bits));
        GroupQuantizer.Encode(group, scale, middle, bits, codes, isRestricted ? 1 : 0);
        return (scale, middle);
    }
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
        var rows = buffer.Rows;
        packing.Read(firstRow, rows, outputs);
        for (var row = 0; row < rows.Count; row++)
        {
            for (var group = 0; group < rows.Groups; group++)
            {
                var columns = rows.ColumnsOf(group);
                GroupQuantizer.Decode(rows.Row(row)[columns], rows.Scales[row * rows.Groups + group], rows.Zeros[row * rows.Groups + group], values.Slice(row * packing.Columns, packing.Columns)[columns]);
            }
        }
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(codes);
        ArrayPool<float>.Shared.Return(scales);
        ArrayPool<byte>.Shared.Return(zeros);
    }
}

using System.Buffers;
using Plimsoll.Numerics.Blocks;

namespace Plimsoll.Quantization.ErrorFeedback;

/// <summary>Rounds rows under the scales that a codec chooses, and lets later columns make up for the errors of earlier ones. The format and its bytes stay the same.</summary>
internal sealed class FeedbackEncoder(FeedbackFactor factor, BlockCodec codec, IBlockGrid grid)
{
    /// <summary>Rows that are rounded together.</summary>
    public const int Lanes = FeedbackRounding.Lanes;

    private readonly FeedbackRounding rounding = new(factor, grid.Levels, grid.SubLength);

    /// <summary>Encodes whole rows.</summary>
    /// <param name="values">(rows, columns).</param>
    /// <param name="importance">(columns): for the choice of the scales.</param>
    public void Encode(ReadOnlySpan<float> values, Span<byte> blocks, ReadOnlySpan<float> importance, BlockSearch search)
    {
        var columns = factor.Columns;
        codec.Encode(values, columns, blocks, importance, search);
        var rowBytes = (int)codec.Format.BytesFor(columns);
        for (; !values.IsEmpty; values = values[(Math.Min(Lanes * columns, values.Length))..], blocks = blocks[Math.Min(Lanes * rowBytes, blocks.Length)..])
        {
            var rows = Math.Min(Lanes, values.Length / columns);
            Round(values[..(rows * columns)], blocks[..(rows * rowBytes)]);
        }
    }

    private void Round(ReadOnlySpan<float> rows, Span<byte> blocks)
    {
        var subBlocks = rows.Length / grid.SubLength;
        var floats = ArrayPool<float>.Shared.Rent(2 * subBlocks);
        var codes = ArrayPool<byte>.Shared.Rent(rows.Length);
        try
        {
            var scales = floats.AsSpan(0, subBlocks);
            var offsets = floats.AsSpan(subBlocks, subBlocks);
            var (perBlock, block) = (codec.Format.BlockLength / grid.SubLength, codec.Format.BlockBytes);
            for (var (at, start) = (0, 0); start < blocks.Length; at += perBlock, start += block)
                grid.ReadGrid(blocks.Slice(start, block), scales.Slice(at, perBlock), offsets.Slice(at, perBlock));
            Span<float> objectives = stackalloc float[Lanes];
            rounding.Round(rows, scales, offsets, codes, objectives);
            for (var (at, start) = (0, 0); start < blocks.Length; at += codec.Format.BlockLength, start += block)
                grid.WriteCodes(codes.AsSpan(at, codec.Format.BlockLength), blocks.Slice(start, block));
        }
        finally
        {
            ArrayPool<float>.Shared.Return(floats);
            ArrayPool<byte>.Shared.Return(codes);
        }
    }
}

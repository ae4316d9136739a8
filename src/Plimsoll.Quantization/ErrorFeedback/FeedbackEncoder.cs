using System.Buffers;
using Plimsoll.Numerics.Blocks;

namespace Plimsoll.Quantization.ErrorFeedback;

/// <summary>Rounds rows under the scales that a codec chooses, and lets later columns make up for the errors of earlier ones. The format and its bytes stay the same.</summary>
/// <remarks>
/// Scales are searched three times: with the importances of the columns, with their roots, and with none. They are chosen for codes that are rounded to nearest, and which of them leaves least of
/// e · H · eᵀ when errors make up for each other differs from row to row; the least is taken.
/// </remarks>
internal sealed class FeedbackEncoder(FeedbackFactor factor, BlockCodec codec, IBlockGrid grid)
{
    /// <summary>Rows that are rounded together.</summary>
    public const int Lanes = FeedbackRounding.Lanes;

    private readonly FeedbackRounding rounding = new(factor, grid.Levels, grid.SubLength);

    /// <summary>Encodes whole rows.</summary>
    /// <param name="values">(rows, columns).</param>
    /// <param name="importance">(columns): for the choice of the scales; empty for none.</param>
    /// <returns>e · H · eᵀ of all rows, H damped as the factor's.</returns>
    public double Encode(ReadOnlySpan<float> values, Span<byte> blocks, ReadOnlySpan<float> importance, BlockSearch search)
    {
        var columns = factor.Columns;
        var rowBytes = (int)codec.Format.BytesFor(columns);
        var objective = 0.0;
        for (; !values.IsEmpty; values = values[(Math.Min(Lanes * columns, values.Length))..], blocks = blocks[Math.Min(Lanes * rowBytes, blocks.Length)..])
        {
            var rows = Math.Min(Lanes, values.Length / columns);
            objective += EncodeLanes(values[..(rows * columns)], blocks[..(rows * rowBytes)], importance, search);
        }
        return objective;
    }

    private double EncodeLanes(ReadOnlySpan<float> rows, Span<byte> blocks, ReadOnlySpan<float> importance, BlockSearch search)
    {
        Span<float> objectives = stackalloc float[Lanes];
        objectives.Clear();
        Round(rows, blocks, importance, search, objectives);
        if (!importance.IsEmpty && codec.Importance == ImportanceUse.Optional)
        {
            var roots = ArrayPool<float>.Shared.Rent(importance.Length);
            for (var column = 0; column < importance.Length; column++)
                roots[column] = MathF.Sqrt(importance[column]);
            Improve(rows, blocks, roots.AsSpan(0, importance.Length), search, objectives);
            Improve(rows, blocks, [], search, objectives);
            ArrayPool<float>.Shared.Return(roots);
        }
        var sum = 0.0;
        foreach (var each in objectives)
            sum += each;
        return sum;
    }

    /// <summary>Replaces rows that do better with scales for other importances.</summary>
    private void Improve(ReadOnlySpan<float> rows, Span<byte> blocks, ReadOnlySpan<float> importance, BlockSearch search, Span<float> objectives)
    {
        var other = ArrayPool<byte>.Shared.Rent(blocks.Length);
        Span<float> others = stackalloc float[Lanes];
        Round(rows, other.AsSpan(0, blocks.Length), importance, search, others);
        var rowBytes = blocks.Length / (rows.Length / factor.Columns);
        for (var (row, at) = (0, 0); at < blocks.Length; row++, at += rowBytes)
        {
            if (others[row] >= objectives[row])
                continue;
            other.AsSpan(at, rowBytes).CopyTo(blocks[at..]);
            objectives[row] = others[row];
        }
        ArrayPool<byte>.Shared.Return(other);
    }

    /// <param name="objectives">Receives e · H · eᵀ of each row.</param>
    private void Round(ReadOnlySpan<float> rows, Span<byte> blocks, ReadOnlySpan<float> importance, BlockSearch search, Span<float> objectives)
    {
        codec.Encode(rows, factor.Columns, blocks, importance, search);
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

using System.Buffers;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Plimsoll.Numerics.Blocks;

namespace Plimsoll.Quantization.ErrorFeedback;

/// <summary>Rounds rows under the scales that a codec chooses, and lets later columns make up for the errors of earlier ones. The format and its bytes stay the same.</summary>
/// <remarks>Sixteen rows lie side by side in lanes; a row's codes do not depend on the others.</remarks>
internal sealed class FeedbackEncoder(FeedbackFactor factor, BlockCodec codec, IBlockGrid grid)
{
    /// <summary>Rows that are rounded together.</summary>
    public const int Lanes = 16;

    private readonly LevelTable levels = new(grid.Levels);

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
            EncodeLanes(values[..(rows * columns)], rows, blocks[..(rows * rowBytes)]);
        }
    }

    private void EncodeLanes(ReadOnlySpan<float> values, int rows, Span<byte> blocks)
    {
        var (columns, subBlocks) = (factor.Columns, factor.Columns / grid.SubLength);
        var floats = ArrayPool<float>.Shared.Rent((2 * columns + 2 * subBlocks) * Lanes);
        var codes = ArrayPool<byte>.Shared.Rent(columns * Lanes);
        try
        {
            var weights = floats.AsSpan(0, columns * Lanes);
            var errors = floats.AsSpan(columns * Lanes, columns * Lanes);
            var scales = floats.AsSpan(2 * columns * Lanes, subBlocks * Lanes);
            var offsets = floats.AsSpan((2 * columns + subBlocks) * Lanes, subBlocks * Lanes);
            weights.Clear();
            scales.Clear();
            offsets.Clear();
            for (var row = 0; row < rows; row++)
            {
                for (var column = 0; column < columns; column++)
                    weights[column * Lanes + row] = values[row * columns + column];
                ReadGrid(RowOf(blocks, rows, row), row, scales, offsets);
            }
            Round(Wide(weights), Wide(errors), Wide(scales), Wide(offsets), codes);
            for (var row = 0; row < rows; row++)
                WriteCodes(codes.AsSpan(row * columns, columns), RowOf(blocks, rows, row));
        }
        finally
        {
            ArrayPool<float>.Shared.Return(floats);
            ArrayPool<byte>.Shared.Return(codes);
        }
    }

    /// <param name="codes">Receives (lanes, columns).</param>
    private void Round(ReadOnlySpan<Vector512<float>> weights, Span<Vector512<float>> errors, ReadOnlySpan<Vector512<float>> scales, ReadOnlySpan<Vector512<float>> offsets, Span<byte> codes)
    {
        Span<float> chosen = stackalloc float[Lanes];
        var columns = factor.Columns;
        for (var k = 0; k < columns; k++)
        {
            var (column, sub) = (factor.Order[k], factor.Order[k] / grid.SubLength);
            var wanted = weights[column] + Feedback(factor.Row(k), errors);
            var code = levels.Nearest(wanted, scales[sub], offsets[sub], out var value);
            errors[k] = weights[column] - value;
            code.CopyTo(chosen);
            for (var lane = 0; lane < Lanes; lane++)
                codes[lane * columns + column] = (byte)chosen[lane];
        }
    }

    /// <summary>Σ F_kj · e_j.</summary>
    private static Vector512<float> Feedback(ReadOnlySpan<float> factors, ReadOnlySpan<Vector512<float>> errors)
    {
        var even = Vector512<float>.Zero;
        var odd = Vector512<float>.Zero;
        var j = 0;
        for (; j + 1 < factors.Length; j += 2)
        {
            even += errors[j] * factors[j];
            odd += errors[j + 1] * factors[j + 1];
        }
        if (j < factors.Length)
            even += errors[j] * factors[j];
        return even + odd;
    }

    private void ReadGrid(ReadOnlySpan<byte> blocks, int lane, Span<float> scales, Span<float> offsets)
    {
        var perBlock = codec.Format.BlockLength / grid.SubLength;
        Span<float> blockScales = stackalloc float[perBlock];
        Span<float> blockOffsets = stackalloc float[perBlock];
        for (var (start, sub) = (0, 0); start < blocks.Length; start += codec.Format.BlockBytes)
        {
            grid.ReadGrid(blocks.Slice(start, codec.Format.BlockBytes), blockScales, blockOffsets);
            for (var j = 0; j < perBlock; j++, sub++)
                (scales[sub * Lanes + lane], offsets[sub * Lanes + lane]) = (blockScales[j], blockOffsets[j]);
        }
    }

    private void WriteCodes(ReadOnlySpan<byte> codes, Span<byte> blocks)
    {
        for (; !codes.IsEmpty; codes = codes[codec.Format.BlockLength..], blocks = blocks[codec.Format.BlockBytes..])
            grid.WriteCodes(codes[..codec.Format.BlockLength], blocks[..codec.Format.BlockBytes]);
    }

    private static Span<byte> RowOf(Span<byte> blocks, int rows, int row) => blocks.Slice(row * (blocks.Length / rows), blocks.Length / rows);

    private static Span<Vector512<float>> Wide(Span<float> values) => MemoryMarshal.Cast<float, Vector512<float>>(values);
}

using System.Runtime.CompilerServices;
using Plimsoll.Numerics.Blocks.Lanes;

namespace Plimsoll.Numerics.Blocks.Legacy;

/// <summary>A format of 32 elements with their own FP16 scale, and perhaps minimum.</summary>
/// <remarks>
/// Without importances a block is encoded by its range, elements side by side in lanes. With them a search runs over as many blocks of a row as there are
/// lanes, one per lane, with weights importance · √(mean x² of the row + x²).
/// </remarks>
internal abstract class LegacyCodec<T>(string name) : BlockCodec where T : unmanaged, ILanes<T>
{
    protected const int Length = 32;

    public sealed override NumberFormat Format { get; } = NumberFormats.Find(name)!;

    protected abstract void EncodeBlock(ReadOnlySpan<float> values, Span<byte> block);

    /// <summary>Encodes a block per lane by search.</summary>
    /// <param name="x">(32).</param>
    /// <param name="weights">(32).</param>
    protected abstract void EncodeWeighted(ReadOnlySpan<T> x, ReadOnlySpan<T> weights, Span<byte> blocks);

    [SkipLocalsInit]
    protected sealed override void EncodeRows(ReadOnlySpan<float> values, int rowLength, Span<byte> blocks, ReadOnlySpan<float> importance, BlockSearch search)
    {
        if (importance.IsEmpty)
        {
            for (; !values.IsEmpty; values = values[Length..], blocks = blocks[Format.BlockBytes..])
                EncodeBlock(values[..Length], blocks[..Format.BlockBytes]);
            return;
        }
        Span<T> x = stackalloc T[Length];
        Span<T> weights = stackalloc T[Length];
        var batch = T.Count * Length;
        for (; !values.IsEmpty; values = values[rowLength..])
        {
            var row = values[..rowLength];
            var variance = T.Create(SumOfSquares(row) / rowLength);
            for (var start = 0; start < rowLength; start += batch)
            {
                var count = Math.Min(batch, rowLength - start);
                var bytes = count / Length * Format.BlockBytes;
                Transposition.ToLanes(row.Slice(start, count), x);
                Transposition.ToLanes(importance.Slice(start, count), weights);
                for (var i = 0; i < Length; i++)
                    weights[i] *= T.Sqrt(variance + x[i] * x[i]);
                EncodeWeighted(x, weights, blocks[..bytes]);
                blocks = blocks[bytes..];
            }
        }
    }

    /// <summary>Added in order, as the bytes depend on every rounding.</summary>
    private static float SumOfSquares(ReadOnlySpan<float> row)
    {
        var sum = 0f;
        foreach (var value in row)
            sum += value * value;
        return sum;
    }
}

using System.Runtime.CompilerServices;
using Plimsoll.Numerics.Blocks.Lanes;

namespace Plimsoll.Numerics.Blocks.Legacy;

/// <summary>A legacy format whose scale is searched where there are importances, over as many blocks of a row as there are lanes, one per lane.</summary>
/// <remarks>Weights of the search: importance · √(mean x² of the row + x²).</remarks>
internal abstract class SearchedLegacyCodec<T>(string name) : LegacyCodec<T>(name) where T : unmanaged, ILanes<T>
{
    /// <summary>Encodes a block per lane by search.</summary>
    /// <param name="x">(32).</param>
    /// <param name="weights">(32).</param>
    /// <param name="blocks">As many as there are; lanes behind are empty.</param>
    protected abstract void EncodeWeighted(ReadOnlySpan<T> x, ReadOnlySpan<T> weights, Span<byte> blocks);

    [SkipLocalsInit]
    protected sealed override void EncodeRows(ReadOnlySpan<float> values, int rowLength, Span<byte> blocks, ReadOnlySpan<float> importance, BlockSearch search)
    {
        if (importance.IsEmpty)
        {
            base.EncodeRows(values, rowLength, blocks, importance, search);
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

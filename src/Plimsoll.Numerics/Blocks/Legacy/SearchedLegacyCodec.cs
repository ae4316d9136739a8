using System.Runtime.CompilerServices;
using Plimsoll.Numerics.Blocks.Lanes;
using Plimsoll.Numerics.Blocks.Search;

namespace Plimsoll.Numerics.Blocks.Legacy;

/// <summary>A legacy format whose scale is searched where there are importances, over as many blocks of a row as there are lanes, one per lane.</summary>
/// <remarks>
/// Weights of the exact search: importance · √(mean x² of the row + x²). The best mode searches with the importances as they are, or with 1, and keeps of every
/// block the better one.
/// </remarks>
internal abstract class SearchedLegacyCodec<T>(string name) : LegacyCodec<T>(name) where T : unmanaged, ILanes<T>
{
    /// <summary>Encodes a block per lane by search.</summary>
    /// <param name="x">(32).</param>
    /// <param name="weights">(32).</param>
    /// <param name="blocks">As many as there are; lanes behind are empty.</param>
    protected abstract void EncodeWeighted(ReadOnlySpan<T> x, ReadOnlySpan<T> weights, Span<byte> blocks);

    /// <summary>Encodes a block per lane with as little Σ weight · e² as can be found.</summary>
    protected abstract void EncodeBest(ReadOnlySpan<T> x, ReadOnlySpan<T> weights, Span<byte> blocks);

    protected sealed override void EncodeRows(ReadOnlySpan<float> values, int rowLength, Span<byte> blocks, ReadOnlySpan<float> importance, BlockSearch search)
    {
        if (importance.IsEmpty)
            base.EncodeRows(values, rowLength, blocks, importance, search);
        else
            EncodeWeightedRows(values, rowLength, blocks, importance);
        if (search == BlockSearch.Best)
            Improve(values, rowLength, blocks, importance);
    }

    [SkipLocalsInit]
    private void EncodeWeightedRows(ReadOnlySpan<float> values, int rowLength, Span<byte> blocks, ReadOnlySpan<float> importance)
    {
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

    /// <summary>Searches every block anew and takes what has a smaller error than the block that is there.</summary>
    [SkipLocalsInit]
    private void Improve(ReadOnlySpan<float> values, int rowLength, Span<byte> blocks, ReadOnlySpan<float> importance)
    {
        Span<T> x = stackalloc T[Length];
        Span<T> weights = stackalloc T[Length];
        Span<byte> candidates = stackalloc byte[T.Count * Format.BlockBytes];
        Span<float> decoded = stackalloc float[Length];
        weights.Fill(T.Create(1));
        var batch = T.Count * Length;
        for (var start = 0; start < values.Length; start += batch)
        {
            var count = Math.Min(batch, values.Length - start) / Length;
            Transposition.ToLanes(values.Slice(start, count * Length), x);
            if (!importance.IsEmpty)
                Transposition.ToLanes(importance, start % rowLength, count, weights);
            EncodeBest(x, weights, candidates[..(count * Format.BlockBytes)]);
            for (var b = 0; b < count; b++)
            {
                var first = start + b * Length;
                var block = blocks.Slice(first / Length * Format.BlockBytes, Format.BlockBytes);
                var candidate = candidates.Slice(b * Format.BlockBytes, Format.BlockBytes);
                var columns = importance.IsEmpty ? [] : importance.Slice(first % rowLength, Length);
                DecodeBlocks(block, decoded);
                var error = WeightedError.Of(values.Slice(first, Length), decoded, columns);
                DecodeBlocks(candidate, decoded);
                if (WeightedError.Of(values.Slice(first, Length), decoded, columns) < error)
                    candidate.CopyTo(block);
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

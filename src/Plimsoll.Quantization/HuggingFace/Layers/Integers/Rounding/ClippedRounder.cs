using System.Buffers;
using System.Collections.Immutable;
using System.Runtime.Intrinsics;
using Plimsoll.Numerics.Quantizers;
using Plimsoll.Quantization.ErrorFeedback;

namespace Plimsoll.Quantization.HuggingFace.Layers.Integers.Rounding;

/// <summary>AWQ: the largest magnitude of each group is cut to the share with which the group's own part of the output changes least, then rounded to nearest.</summary>
/// <remarks>Shares 1, 0.95 … 0.55 (AutoAWQ quantizer.py, _compute_best_clip). The error of a group is e · H · eᵀ, H being of its columns alone.</remarks>
internal sealed class ClippedRounder : IntegerRounder
{
    private const int Shares = 10;

    private readonly IntegerGrid grid;
    private readonly ImmutableArray<float[]> products;

    public ClippedRounder(IntegerGrid grid, FeedbackFactor factor)
    {
        this.grid = grid;
        products = [.. Enumerable.Range(0, (grid.Columns + grid.GroupLength - 1) / grid.GroupLength)
            .Select(group => factor.Products(group * grid.GroupLength, Math.Min(grid.Columns, (group + 1) * grid.GroupLength)))];
    }

    public override void Round(ReadOnlySpan<float> values, IntegerRows rows)
    {
        var buffer = ArrayPool<float>.Shared.Rent(2 * grid.GroupLength);
        for (var row = 0; row < rows.Count; row++)
        {
            for (var group = 0; group < rows.Groups; group++)
            {
                var (columns, at) = (rows.ColumnsOf(group), row * rows.Groups + group);
                var weights = values.Slice(row * rows.Columns, rows.Columns)[columns];
                (rows.Scales[at], rows.Zeros[at]) = Choose(weights, products[group], rows.Row(row)[columns], buffer);
            }
        }
        ArrayPool<float>.Shared.Return(buffer);
    }

    /// <param name="codes">Receives the codes under the chosen scale.</param>
    private (float Scale, byte Zero) Choose(ReadOnlySpan<float> weights, ReadOnlySpan<float> products, Span<byte> codes, float[] buffer)
    {
        var clipped = buffer.AsSpan(0, weights.Length);
        var errors = buffer.AsSpan(weights.Length, weights.Length);
        var largest = GroupQuantizer.Largest(weights);
        var (best, least) = (largest, float.PositiveInfinity);
        for (var step = 0; step < Shares; step++)
        {
            var limit = largest * (1 - step / 20f);
            var chosen = Encode(limit, weights, clipped, codes);
            GroupQuantizer.Decode(codes, chosen.Scale, chosen.Zero, errors);
            for (var column = 0; column < errors.Length; column++)
                errors[column] = weights[column] - errors[column];
            var error = Quadratic(errors, products);
            if (error < least)
                (best, least) = (limit, error);
        }
        return Encode(best, weights, clipped, codes);
    }

    private (float Scale, byte Zero) Encode(float limit, ReadOnlySpan<float> weights, Span<float> clipped, Span<byte> codes)
    {
        for (var column = 0; column < clipped.Length; column++)
            clipped[column] = Math.Clamp(weights[column], -limit, limit);
        var chosen = grid.Choose(clipped);
        grid.Encode(clipped, chosen.Scale, chosen.Zero, codes);
        return chosen;
    }

    private static float Quadratic(ReadOnlySpan<float> errors, ReadOnlySpan<float> products)
    {
        var total = 0f;
        for (var row = 0; row < errors.Length; row++)
            total += errors[row] * Dot(errors, products.Slice(row * errors.Length, errors.Length));
        return total;
    }

    private static float Dot(ReadOnlySpan<float> left, ReadOnlySpan<float> right)
    {
        var sum = Vector512<float>.Zero;
        var at = 0;
        for (; at <= left.Length - Vector512<float>.Count; at += Vector512<float>.Count)
            sum += Vector512.Create(left[at..]) * Vector512.Create(right[at..]);
        var total = Vector512.Sum(sum);
        for (; at < left.Length; at++)
            total += left[at] * right[at];
        return total;
    }
}

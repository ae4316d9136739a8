using System.Runtime.CompilerServices;
using Plimsoll.Numerics.Blocks.Lanes;
using Plimsoll.Numerics.Blocks.Search;

namespace Plimsoll.Numerics.Blocks.KQuants;

/// <summary>The K-quants with a scale and a minimum per sub-block: x ≈ (d · scale) · code − (dmin · minimum). Q2_K, Q4_K, Q5_K.</summary>
/// <param name="subLength">Elements of a sub-block.</param>
/// <param name="levels">The largest code.</param>
/// <param name="scaleLevels">The largest code of a scale and of a minimum.</param>
internal abstract class ScaleMinCodec<T>(string name, int subLength, int levels, int scaleLevels) : KQuantCodec<T>(name), IBlockGrid where T : unmanaged, ILanes<T>
{
    /// <summary>Candidates of the search with importances (the same for the three).</summary>
    private readonly CandidateGrid weightedGrid = new(levels, -0.9f, 0.05f, 36);

    private readonly float[] values = EvenLevels.Create(0, levels + 1);

    private int SubBlocks => Length / subLength;

    int IBlockGrid.SubLength => subLength;

    ReadOnlySpan<float> IBlockGrid.Levels => values;

    void IBlockGrid.ReadGrid(ReadOnlySpan<byte> block, Span<float> scales, Span<float> offsets)
    {
        ReadScales(block, scales, offsets);
        foreach (ref var offset in offsets)
            offset = -offset;
    }

    void IBlockGrid.WriteCodes(ReadOnlySpan<byte> codes, Span<byte> block) => Pack(codes, block);

    /// <summary>Scale and minimum of one sub-block without importances.</summary>
    protected abstract ScaleMin<T> SearchPlain(ReadOnlySpan<T> x, Span<T> weights, Span<T> codes);

    /// <summary>The factor of σ² = factor · mean(x²), which softens the weights of the search with importances.</summary>
    protected abstract float VarianceFactor { get; }

    /// <summary>The code of a scale or minimum from the rounded quotient, which may be anything where a range is degenerate.</summary>
    protected abstract byte ScaleCode(int rounded);

    /// <summary>Stores the FP16 scales and the codes of scales and minimums.</summary>
    protected abstract void WriteScales(float scale, float min, ReadOnlySpan<byte> scaleCodes, ReadOnlySpan<byte> minCodes, Span<byte> block);

    /// <summary>The scale and minimum of each sub-block as they are stored.</summary>
    protected abstract void ReadScales(ReadOnlySpan<byte> block, Span<float> scales, Span<float> mins);

    protected abstract void Pack(ReadOnlySpan<byte> codes, Span<byte> block);

    protected abstract void Unpack(ReadOnlySpan<byte> block, Span<byte> codes);

    [SkipLocalsInit]
    protected sealed override void EncodeBatch(ReadOnlySpan<T> x, ReadOnlySpan<T> importance, ReadOnlySpan<float> values, Span<byte> blocks, BlockSearch search)
    {
        Span<T> codes = stackalloc T[Length];
        Span<T> weights = stackalloc T[subLength];
        Span<T> sums = stackalloc T[SubBlocks];
        Span<T> scales = stackalloc T[SubBlocks];
        Span<T> mins = stackalloc T[SubBlocks];
        Span<T> scaleCodes = stackalloc T[SubBlocks];
        Span<T> minCodes = stackalloc T[SubBlocks];
        T scale = default, min = default;
        var variance = importance.IsEmpty ? default : SubBlockWeights.Variance(x, VarianceFactor);
        for (var j = 0; j < SubBlocks; j++)
        {
            var range = new Range(j * subLength, (j + 1) * subLength);
            ScaleMin<T> found;
            if (importance.IsEmpty)
                found = SearchPlain(x[range], weights, codes[range]);
            else
            {
                sums[j] = SubBlockWeights.Fill(x[range], importance[range], variance, weights);
                found = ScaleMinSearch.Run<T, SquaredError>(x[range], weights, weightedGrid, codes[range]);
            }
            scales[j] = found.Scale;
            mins[j] = T.Create(-0f) - found.Min;
        }
        if (importance.IsEmpty)
        {
            scale = Linear(scales, scaleCodes);
            min = Linear(mins, minCodes);
        }
        else
        {
            scale = PositiveScaleSearch.Run<T>(scales, sums, scaleLevels, scaleCodes);
            min = PositiveScaleSearch.Run<T>(mins, sums, scaleLevels, minCodes);
        }
        if (search == BlockSearch.Best)
            Refine(x, importance, LaneBytes.RoundToFp16(scale), LaneBytes.RoundToFp16(min), scaleCodes, minCodes);

        Span<byte> scaleBytes = stackalloc byte[SubBlocks];
        Span<byte> minBytes = stackalloc byte[SubBlocks];
        for (var lane = 0; lane < values.Length / Length; lane++)
        {
            var block = blocks.Slice(lane * Format.BlockBytes, Format.BlockBytes);
            LaneBytes.Read(scaleCodes, lane, scaleBytes);
            LaneBytes.Read(minCodes, lane, minBytes);
            WriteScales(LaneBytes.At(scale, lane), LaneBytes.At(min, lane), scaleBytes, minBytes, block);
            Requantize(values.Slice(lane * Length, Length), codes, lane, block);
        }
    }

    [SkipLocalsInit]
    protected sealed override void DecodeBlocks(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        Span<byte> codes = stackalloc byte[Length];
        Span<float> scales = stackalloc float[SubBlocks];
        Span<float> mins = stackalloc float[SubBlocks];
        for (var start = 0; start < values.Length; start += Length)
        {
            var block = blocks[..Format.BlockBytes];
            blocks = blocks[Format.BlockBytes..];
            ReadScales(block, scales, mins);
            Unpack(block, codes);
            for (var j = 0; j < SubBlocks; j++)
                Elements<T>.Affine(codes.Slice(j * subLength, subLength), scales[j], -mins[j], values.Slice(start + j * subLength, subLength));
        }
    }

    /// <summary>Codes under the largest of the values, which becomes the last level: the quotient by it, rounded.</summary>
    /// <returns>The FP16 scale before rounding.</returns>
    private T Linear(ReadOnlySpan<T> values, Span<T> codes)
    {
        var largest = T.Create(0);
        foreach (var value in values)
            largest = T.Max(value, largest);
        var inverse = T.Select(T.GreaterThan(largest, T.Create(0)), T.Create(scaleLevels) / largest, T.Create(0));
        for (var j = 0; j < values.Length; j++)
        {
            codes[j] = T.NearestInt(inverse * values[j]);
            for (var lane = 0; lane < T.Count; lane++)
                LaneBytes.Set(ref codes[j], lane, ScaleCode((int)LaneBytes.At(codes[j], lane)));
        }
        return largest / T.Create(scaleLevels);
    }

    [SkipLocalsInit]
    private void Refine(ReadOnlySpan<T> x, ReadOnlySpan<T> importance, T scale, T min, Span<T> scaleCodes, Span<T> minCodes)
    {
        Span<T> ones = stackalloc T[subLength];
        ones.Fill(T.Create(1));
        for (var j = 0; j < SubBlocks; j++)
        {
            var range = new Range(j * subLength, (j + 1) * subLength);
            SubBlockRefinement.Run(x[range], importance.IsEmpty ? ones : importance[range], scale, min, levels, scaleLevels, ref scaleCodes[j], ref minCodes[j]);
        }
    }

    /// <summary>The codes under the scales as they are stored; those of the search where the stored scale is zero.</summary>
    [SkipLocalsInit]
    private void Requantize(ReadOnlySpan<float> values, ReadOnlySpan<T> searched, int lane, Span<byte> block)
    {
        Span<byte> codes = stackalloc byte[Length];
        Span<float> scales = stackalloc float[SubBlocks];
        Span<float> mins = stackalloc float[SubBlocks];
        ReadScales(block, scales, mins);
        Elements<T>.AffineCodes(values, scales, mins, levels, codes);
        for (var j = 0; j < SubBlocks; j++)
        {
            if (scales[j] == 0)
                LaneBytes.Read(searched.Slice(j * subLength, subLength), lane, codes.Slice(j * subLength, subLength));
        }
        Pack(codes, block);
    }
}

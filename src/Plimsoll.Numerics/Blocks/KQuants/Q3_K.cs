using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Plimsoll.Numerics.Blocks.Lanes;
using Plimsoll.Numerics.Blocks.Packing;
using Plimsoll.Numerics.Blocks.Search;
using Plimsoll.Numerics.Codecs;

namespace Plimsoll.Numerics.Blocks.KQuants;

/// <summary>Q3_K: 32 bytes of third bits, 64 of the low two bits of 256 codes, 12 bytes of 6-bit scales of 16 sub-blocks of 16, FP16 scale.</summary>
/// <remarks>Scale j has its low four bits in byte j mod 8 (low nibble for j below 8) and its upper two at bit 2 · (j / 4) of byte 8 + j mod 4.</remarks>
internal sealed class Q3_K<T>() : SignedScaleCodec<T>("Q3_K", Levels, ScaleLevels) where T : unmanaged, ILanes<T>
{
    private const int Levels = 4;
    private const int ScaleLevels = 32;
    private const int HighBytes = 32;
    private const int LowBytes = 64;
    private const int ScaleBytes = 12;

    [SkipLocalsInit]
    protected override void EncodeBatch(ReadOnlySpan<T> x, ReadOnlySpan<T> importance, ReadOnlySpan<float> values, Span<byte> blocks, BlockSearch search)
    {
        Span<T> codes = stackalloc T[Length];
        Span<T> scales = stackalloc T[SubBlocks];
        Span<T> scaleCodes = stackalloc T[SubBlocks];
        var scale = importance.IsEmpty ? SearchPlain(x, codes, scales, scaleCodes) : SearchWeighted(x, importance, codes, scales, scaleCodes);
        if (search == BlockSearch.Best)
            Refine(x, importance, LaneBytes.RoundToFp16(scale), ScaleLevels, scaleCodes);

        Span<byte> scaleBytes = stackalloc byte[SubBlocks];
        for (var lane = 0; lane < values.Length / Length; lane++)
        {
            var block = blocks.Slice(lane * Format.BlockBytes, Format.BlockBytes);
            LaneBytes.Read(scaleCodes, lane, scaleBytes);
            WriteScales(LaneBytes.At(scale, lane), scaleBytes, block);
            Requantize(values.Slice(lane * Length, Length), codes, lane, block);
        }
    }

    protected override void ReadScales(ReadOnlySpan<byte> block, Span<float> scales)
    {
        var packed = block.Slice(HighBytes + LowBytes, ScaleBytes);
        var scale = Fp16.ToSingle(BinaryPrimitives.ReadUInt16LittleEndian(block[(HighBytes + LowBytes + ScaleBytes)..]));
        for (var j = 0; j < SubBlocks; j++)
        {
            var low = packed[j % 8] >> (j / 8 * 4) & 15;
            var high = packed[8 + j % 4] >> (j / 4 * 2) & 3;
            scales[j] = scale * ((low | high << 4) - ScaleLevels);
        }
    }

    protected override void Pack(ReadOnlySpan<byte> codes, Span<byte> block)
    {
        BitPlanes.Pack(codes, plane: 2, block[..HighBytes]);
        BitPlanes.PackPairs(codes, plane: 0, block.Slice(HighBytes, LowBytes));
    }

    protected override void Unpack(ReadOnlySpan<byte> block, Span<byte> codes)
    {
        codes.Clear();
        BitPlanes.Add(block[..HighBytes], plane: 2, codes);
        BitPlanes.AddPairs(block.Slice(HighBytes, LowBytes), plane: 0, codes);
    }

    /// <returns>The scale of the super-block: that of largest magnitude becomes −32.</returns>
    [SkipLocalsInit]
    private static T SearchPlain(ReadOnlySpan<T> x, Span<T> codes, Span<T> scales, Span<T> scaleCodes)
    {
        Span<Pair<T>> pairs = stackalloc Pair<T>[SubLength];
        Span<Pair<T>> pairCodes = stackalloc Pair<T>[SubLength];
        for (var j = 0; j < SubBlocks; j += 2)
        {
            var (first, second) = (j * SubLength, (j + 1) * SubLength);
            for (var i = 0; i < SubLength; i++)
                pairs[i] = new(x[first + i], x[second + i]);
            var scale = CoordinateScaleSearch.Run<Pair<T>>(pairs, Levels, pairCodes);
            (scales[j], scales[j + 1]) = (scale.First, scale.Second);
            for (var i = 0; i < SubLength; i++)
                (codes[first + i], codes[second + i]) = (pairCodes[i].First, pairCodes[i].Second);
        }
        var (zero, low, high) = (T.Create(0), T.Create(-ScaleLevels), T.Create(ScaleLevels - 1));
        var (largest, _) = SignedScaleSearch.Largest<T>(scales);
        var isZero = T.Equal(largest, zero);
        var inverse = low / largest;
        for (var j = 0; j < SubBlocks; j++)
            scaleCodes[j] = T.Select(isZero, zero, T.Max(T.Min(T.NearestInt(inverse * scales[j]), high), low) - low);
        return T.Select(isZero, zero, T.Create(1) / inverse);
    }

    /// <returns>The scale of the super-block.</returns>
    [SkipLocalsInit]
    private static T SearchWeighted(ReadOnlySpan<T> x, ReadOnlySpan<T> importance, Span<T> codes, Span<T> scales, Span<T> scaleCodes)
    {
        Span<T> weights = stackalloc T[SubLength];
        Span<T> sums = stackalloc T[SubBlocks];
        var variance = SubBlockWeights.Variance(x, 2);
        for (var j = 0; j < SubBlocks; j++)
        {
            var range = new Range(j * SubLength, (j + 1) * SubLength);
            sums[j] = SubBlockWeights.Fill(x[range], importance[range], variance, weights);
            scales[j] = SignedScaleSearch.Run<T>(x[range], weights, Levels, codes[range]);
        }
        return SignedScaleSearch.Run<T>(scales, sums, ScaleLevels, scaleCodes);
    }

    private static void WriteScales(float scale, ReadOnlySpan<byte> codes, Span<byte> block)
    {
        var packed = block.Slice(HighBytes + LowBytes, ScaleBytes);
        for (var j = 0; j < 8; j++)
            packed[j] = (byte)(codes[j] & 15 | (codes[j + 8] & 15) << 4);
        for (var j = 0; j < 4; j++)
            packed[8 + j] = (byte)(codes[j] >> 4 | codes[j + 4] >> 4 << 2 | codes[j + 8] >> 4 << 4 | codes[j + 12] >> 4 << 6);
        BinaryPrimitives.WriteUInt16LittleEndian(block[(HighBytes + LowBytes + ScaleBytes)..], Fp16.FromSingle(scale));
    }
}

using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Plimsoll.Numerics.Blocks.Lanes;
using Plimsoll.Numerics.Blocks.Packing;
using Plimsoll.Numerics.Blocks.Search;
using Plimsoll.Numerics.Codecs;

namespace Plimsoll.Numerics.Blocks.KQuants;

/// <summary>Q6_K: 128 bytes of the low four bits and 64 of the upper two of 256 codes, 16 signed bytes that scale sub-blocks of 16, FP16 scale.</summary>
/// <remarks>Weights of the search: the importances as they are, else x².</remarks>
internal sealed class Q6_K<T>() : SignedScaleCodec<T>("Q6_K", Levels, ScaleLevels) where T : unmanaged, ILanes<T>
{
    private const int Levels = 32;
    private const int ScaleLevels = 128;
    private const int LowBytes = 128;
    private const int HighBytes = 64;
    private const int ScalesAt = LowBytes + HighBytes;

    [SkipLocalsInit]
    protected override void EncodeBatch(ReadOnlySpan<T> x, ReadOnlySpan<T> importance, ReadOnlySpan<float> values, Span<byte> blocks, BlockSearch search)
    {
        Span<T> codes = stackalloc T[Length];
        Span<T> scales = stackalloc T[SubBlocks];
        Span<T> squares = stackalloc T[SubLength];
        for (var j = 0; j < SubBlocks; j++)
        {
            var range = new Range(j * SubLength, (j + 1) * SubLength);
            var sub = x[range];
            for (var i = 0; i < SubLength; i++)
                squares[i] = sub[i] * sub[i];
            scales[j] = SignedScaleSearch.Run(sub, importance.IsEmpty ? squares : importance[range], Levels, codes[range]);
        }
        var (largest, magnitude) = SignedScaleSearch.Largest<T>(scales);
        var inverse = T.Create(-ScaleLevels) / largest;
        for (var j = 0; j < SubBlocks; j++)
            scales[j] = T.Min(T.NearestInt(inverse * scales[j]), T.Create(ScaleLevels - 1));
        var scale = T.Create(1) / inverse;
        if (search == BlockSearch.Best)
            Refine(x, importance, LaneBytes.RoundToFp16(scale), 0, scales);

        for (var lane = 0; lane < values.Length / Length; lane++)
        {
            var block = blocks.Slice(lane * Format.BlockBytes, Format.BlockBytes);
            if (LaneBytes.At(magnitude, lane) < SignedScaleSearch.SmallestMagnitude)
            {
                block.Clear();
                continue;
            }
            LaneBytes.Read(scales, lane, block.Slice(ScalesAt, SubBlocks));
            BinaryPrimitives.WriteUInt16LittleEndian(block[(ScalesAt + SubBlocks)..], Fp16.FromSingle(LaneBytes.At(scale, lane)));
            Requantize(values.Slice(lane * Length, Length), codes, lane, block);
        }
    }

    protected override void ReadScales(ReadOnlySpan<byte> block, Span<float> scales)
    {
        var scale = Fp16.ToSingle(BinaryPrimitives.ReadUInt16LittleEndian(block[(ScalesAt + SubBlocks)..]));
        for (var j = 0; j < SubBlocks; j++)
            scales[j] = scale * unchecked((sbyte)block[ScalesAt + j]);
    }

    protected override void Pack(ReadOnlySpan<byte> codes, Span<byte> block)
    {
        Nibbles.PackPairs(codes, 64, block[..LowBytes]);
        BitPlanes.PackPairs(codes, plane: 4, block.Slice(LowBytes, HighBytes));
    }

    protected override void Unpack(ReadOnlySpan<byte> block, Span<byte> codes)
    {
        Nibbles.UnpackPairs(block[..LowBytes], 64, codes);
        BitPlanes.AddPairs(block.Slice(LowBytes, HighBytes), plane: 4, codes);
    }
}

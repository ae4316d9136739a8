using System.Buffers.Binary;
using Plimsoll.Numerics.Blocks.Lanes;
using Plimsoll.Numerics.Blocks.Packing;
using Plimsoll.Numerics.Blocks.Search;
using Plimsoll.Numerics.Codecs;

namespace Plimsoll.Numerics.Blocks.KQuants;

/// <summary>Q2_K: 16 bytes of 4-bit scale (low nibble) and minimum, 256 two-bit codes in 16 sub-blocks of 16, then FP16 scale and minimum.</summary>
internal sealed class Q2_K<T>() : ScaleMinCodec<T>("Q2_K", subLength: 16, Levels, scaleLevels: 15) where T : unmanaged, ILanes<T>
{
    private const int Levels = 3;
    private const int ScaleBytes = 16;
    private const int CodeBytes = 64;

    private static readonly CandidateGrid PlainGrid = new(Levels, -0.5f, 0.1f, 15);

    protected override float VarianceFactor => 1;

    protected override ScaleMin<T> SearchPlain(ReadOnlySpan<T> x, Span<T> weights, Span<T> codes)
    {
        for (var i = 0; i < x.Length; i++)
            weights[i] = T.Abs(x[i]);
        return ScaleMinSearch.Run<T, AbsoluteError>(x, weights, PlainGrid, codes);
    }

    protected override byte ScaleCode(int rounded) => unchecked((byte)rounded);

    protected override void WriteScales(float scale, float min, ReadOnlySpan<byte> scaleCodes, ReadOnlySpan<byte> minCodes, Span<byte> block)
    {
        for (var j = 0; j < ScaleBytes; j++)
            block[j] = (byte)(scaleCodes[j] | minCodes[j] << 4);
        BinaryPrimitives.WriteUInt16LittleEndian(block[(ScaleBytes + CodeBytes)..], Fp16.FromSingle(scale));
        BinaryPrimitives.WriteUInt16LittleEndian(block[(ScaleBytes + CodeBytes + 2)..], Fp16.FromSingle(min));
    }

    protected override void ReadScales(ReadOnlySpan<byte> block, Span<float> scales, Span<float> mins)
    {
        var scale = Fp16.ToSingle(BinaryPrimitives.ReadUInt16LittleEndian(block[(ScaleBytes + CodeBytes)..]));
        var min = Fp16.ToSingle(BinaryPrimitives.ReadUInt16LittleEndian(block[(ScaleBytes + CodeBytes + 2)..]));
        for (var j = 0; j < ScaleBytes; j++)
        {
            scales[j] = scale * (block[j] & 15);
            mins[j] = min * (block[j] >> 4);
        }
    }

    protected override void Pack(ReadOnlySpan<byte> codes, Span<byte> block) => BitPlanes.PackPairs(codes, plane: 0, block.Slice(ScaleBytes, CodeBytes));

    protected override void Unpack(ReadOnlySpan<byte> block, Span<byte> codes)
    {
        codes.Clear();
        BitPlanes.AddPairs(block.Slice(ScaleBytes, CodeBytes), plane: 0, codes);
    }
}

using System.Buffers.Binary;
using Plimsoll.Numerics.Blocks.Lanes;
using Plimsoll.Numerics.Blocks.Search;
using Plimsoll.Numerics.Codecs;

namespace Plimsoll.Numerics.Blocks.KQuants;

/// <summary>What Q4_K and Q5_K share: eight sub-blocks of 32, FP16 scale and minimum, then 12 bytes of 6-bit scales and minimums.</summary>
/// <param name="plainGrid">Candidates of the search without importances.</param>
internal abstract class SixBitScaleMinCodec<T>(string name, int levels, CandidateGrid plainGrid) : ScaleMinCodec<T>(name, subLength: 32, levels, ScaleLevels)
    where T : unmanaged, ILanes<T>
{
    /// <summary>Bytes before the codes.</summary>
    protected const int HeaderBytes = 4 + SixBitScales.Bytes;

    private const int ScaleLevels = 63;

    protected sealed override float VarianceFactor => 2;

    protected sealed override ScaleMin<T> SearchPlain(ReadOnlySpan<T> x, Span<T> weights, Span<T> codes)
    {
        SubBlockWeights.FillRms(x, weights);
        return ScaleMinSearch.Run<T, SquaredError>(x, weights, plainGrid, codes);
    }

    protected sealed override byte ScaleCode(int rounded) => Math.Min((byte)ScaleLevels, unchecked((byte)rounded));

    protected sealed override void WriteScales(float scale, float min, ReadOnlySpan<byte> scaleCodes, ReadOnlySpan<byte> minCodes, Span<byte> block)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(block, Fp16.FromSingle(scale));
        BinaryPrimitives.WriteUInt16LittleEndian(block[2..], Fp16.FromSingle(min));
        SixBitScales.Write(scaleCodes, minCodes, block[4..]);
    }

    protected sealed override void ReadScales(ReadOnlySpan<byte> block, Span<float> scales, Span<float> mins) =>
        SixBitScales.Read(block[4..], Fp16.ToSingle(BinaryPrimitives.ReadUInt16LittleEndian(block)), Fp16.ToSingle(BinaryPrimitives.ReadUInt16LittleEndian(block[2..])), scales, mins);
}

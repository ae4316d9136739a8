using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Plimsoll.Numerics.Blocks.Lanes;
using Plimsoll.Numerics.Blocks.Search;
using Plimsoll.Numerics.Codecs;

namespace Plimsoll.Numerics.Blocks.Legacy;

/// <summary>x ≈ d · (code − levels), where d puts the element of largest magnitude on −levels. Q4_0, Q5_0.</summary>
/// <param name="levels">Half the number of codes.</param>
internal abstract class SignedLegacyCodec<T>(string name, int levels) : LegacyCodec<T>(name) where T : unmanaged, ILanes<T>
{
    /// <summary>Bytes before the codes.</summary>
    protected const int ScaleBytes = 2;

    protected abstract void Pack(ReadOnlySpan<byte> codes, Span<byte> packed);

    protected abstract void Unpack(ReadOnlySpan<byte> packed, Span<byte> codes);

    [SkipLocalsInit]
    protected sealed override void EncodeBlock(ReadOnlySpan<float> values, Span<byte> block)
    {
        Span<byte> codes = stackalloc byte[Length];
        var scale = BlockRange.LargestMagnitude<T>(values) / -levels;
        var inverse = scale != 0 ? 1 / scale : 0;
        BinaryPrimitives.WriteUInt16LittleEndian(block, Fp16.FromSingle(scale));
        BlockRange.Codes(values, T.Create(-0f), T.Create(inverse), levels + 0.5f, 2 * levels - 1, codes);
        Pack(codes, block[ScaleBytes..]);
    }

    [SkipLocalsInit]
    protected sealed override void EncodeWeighted(ReadOnlySpan<T> x, ReadOnlySpan<T> weights, Span<byte> blocks)
    {
        Span<T> searched = stackalloc T[Length];
        Span<byte> codes = stackalloc byte[Length];
        var scale = SignedScaleSearch.Run(x, weights, levels, searched);
        for (var lane = 0; !blocks.IsEmpty; lane++, blocks = blocks[Format.BlockBytes..])
        {
            LaneBytes.Read(searched, lane, codes);
            BinaryPrimitives.WriteUInt16LittleEndian(blocks, Fp16.FromSingle(LaneBytes.At(scale, lane)));
            Pack(codes, blocks[ScaleBytes..Format.BlockBytes]);
        }
    }

    [SkipLocalsInit]
    protected sealed override void DecodeBlocks(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        Span<byte> codes = stackalloc byte[Length];
        for (; !values.IsEmpty; values = values[Length..], blocks = blocks[Format.BlockBytes..])
        {
            Unpack(blocks[ScaleBytes..Format.BlockBytes], codes);
            Elements<T>.Centred(codes, levels, Fp16.ToSingle(BinaryPrimitives.ReadUInt16LittleEndian(blocks)), values[..Length]);
        }
    }
}

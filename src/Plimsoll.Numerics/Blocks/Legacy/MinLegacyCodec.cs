using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Plimsoll.Numerics.Blocks.Lanes;
using Plimsoll.Numerics.Blocks.Search;
using Plimsoll.Numerics.Codecs;

namespace Plimsoll.Numerics.Blocks.Legacy;

/// <summary>x ≈ d · code + m, where m is the minimum and d divides the range into levels. Q4_1, Q5_1.</summary>
/// <param name="levels">The largest code.</param>
internal abstract class MinLegacyCodec<T>(string name, int levels) : LegacyCodec<T>(name) where T : unmanaged, ILanes<T>
{
    /// <summary>Bytes before the codes.</summary>
    protected const int ScaleBytes = 4;

    /// <summary>Candidates of the search with importances.</summary>
    private readonly CandidateGrid grid = new(levels, -0.9f, 0.05f, 36);

    protected abstract void Pack(ReadOnlySpan<byte> codes, Span<byte> packed);

    protected abstract void Unpack(ReadOnlySpan<byte> packed, Span<byte> codes);

    [SkipLocalsInit]
    protected sealed override void EncodeBlock(ReadOnlySpan<float> values, Span<byte> block)
    {
        Span<byte> codes = stackalloc byte[Length];
        var (min, max) = BlockRange.MinMax<T>(values);
        var scale = (max - min) / levels;
        var inverse = scale != 0 ? 1 / scale : 0;
        Write(scale, min, block);
        BlockRange.Codes(values, T.Create(min), T.Create(inverse), 0.5f, levels, codes);
        Pack(codes, block[ScaleBytes..]);
    }

    [SkipLocalsInit]
    protected sealed override void EncodeWeighted(ReadOnlySpan<T> x, ReadOnlySpan<T> weights, Span<byte> blocks)
    {
        Span<T> searched = stackalloc T[Length];
        Span<byte> codes = stackalloc byte[Length];
        var found = ScaleMinSearch.Run<T, SquaredError>(x, weights, grid, searched);
        for (var lane = 0; !blocks.IsEmpty; lane++, blocks = blocks[Format.BlockBytes..])
        {
            LaneBytes.Read(searched, lane, codes);
            Write(LaneBytes.At(found.Scale, lane), LaneBytes.At(found.Min, lane), blocks);
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
            var scale = Fp16.ToSingle(BinaryPrimitives.ReadUInt16LittleEndian(blocks));
            var min = Fp16.ToSingle(BinaryPrimitives.ReadUInt16LittleEndian(blocks[2..]));
            Elements<T>.Affine(codes, scale, min, values[..Length]);
        }
    }

    private static void Write(float scale, float min, Span<byte> block)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(block, Fp16.FromSingle(scale));
        BinaryPrimitives.WriteUInt16LittleEndian(block[2..], Fp16.FromSingle(min));
    }
}

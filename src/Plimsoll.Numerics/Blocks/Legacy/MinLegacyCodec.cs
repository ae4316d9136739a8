using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Plimsoll.Numerics.Blocks.Lanes;
using Plimsoll.Numerics.Blocks.Packing;
using Plimsoll.Numerics.Blocks.Search;
using Plimsoll.Numerics.Codecs;

namespace Plimsoll.Numerics.Blocks.Legacy;

/// <summary>x ≈ d · code + m, where m is the minimum and d divides the range into levels. Q4_1, Q5_1.</summary>
internal abstract class MinLegacyCodec<T, TPacking>(string name) : SearchedLegacyCodec<T>(name), IBlockGrid
    where T : unmanaged, ILanes<T>
    where TPacking : ICodePacking
{
    /// <summary>Bytes before the codes.</summary>
    private const int ScaleBytes = 4;

    /// <summary>Candidates of the search with importances.</summary>
    private static readonly CandidateGrid Grid = new(Levels, -0.9f, 0.05f, 36);

    /// <summary>The largest code.</summary>
    private static int Levels => (1 << TPacking.Bits) - 1;

    private static readonly float[] Values = EvenLevels.Create(0, Levels + 1);

    int IBlockGrid.SubLength => Length;

    ReadOnlySpan<float> IBlockGrid.Levels => Values;

    void IBlockGrid.ReadGrid(ReadOnlySpan<byte> block, Span<float> scales, Span<float> offsets) =>
        (scales[0], offsets[0]) = (Fp16.ToSingle(BinaryPrimitives.ReadUInt16LittleEndian(block)), Fp16.ToSingle(BinaryPrimitives.ReadUInt16LittleEndian(block[2..])));

    void IBlockGrid.WriteCodes(ReadOnlySpan<byte> codes, Span<byte> block) => TPacking.Pack(codes, block[ScaleBytes..]);

    [SkipLocalsInit]
    protected sealed override void EncodePlain(ReadOnlySpan<float> values, Span<byte> blocks)
    {
        Span<float> mins = stackalloc float[Batch];
        Span<float> scales = stackalloc float[Batch];
        Span<float> inverses = stackalloc float[Batch];
        Span<ushort> halves = stackalloc ushort[2 * Batch];
        var count = values.Length / Length;
        ref var elements = ref MemoryMarshal.GetReference(values);
        for (var b = 0; b < count; b++)
        {
            (mins[b], var max) = BlockRange.MinMax32<T>(in Unsafe.Add(ref elements, b * Length));
            scales[b] = (max - mins[b]) / Levels;
        }
        FloatCast.ToFp16(scales, halves[..Batch]);
        FloatCast.ToFp16(mins, halves[Batch..]);
        Inverses(scales, inverses);
        for (var b = 0; b < count; b++, blocks = blocks[Format.BlockBytes..])
        {
            BinaryPrimitives.WriteUInt16LittleEndian(blocks, halves[b]);
            BinaryPrimitives.WriteUInt16LittleEndian(blocks[2..], halves[Batch + b]);
            var codes = blocks[ScaleBytes..Format.BlockBytes];
            if (float.IsFinite(inverses[b]))
                TPacking.Encode(in Unsafe.Add(ref elements, b * Length), T.Create(mins[b]), T.Create(inverses[b]), 0.5f, codes);
            else
                codes.Clear();
        }
    }

    [SkipLocalsInit]
    protected sealed override void EncodeWeighted(ReadOnlySpan<T> x, ReadOnlySpan<T> weights, Span<byte> blocks)
    {
        Span<T> searched = stackalloc T[Length];
        Span<byte> codes = stackalloc byte[Length];
        var found = ScaleMinSearch.Run<T, SquaredError>(x, weights, Grid, searched);
        for (var lane = 0; !blocks.IsEmpty; lane++, blocks = blocks[Format.BlockBytes..])
        {
            LaneBytes.Read(searched, lane, codes);
            BinaryPrimitives.WriteUInt16LittleEndian(blocks, Fp16.FromSingle(LaneBytes.At(found.Scale, lane)));
            BinaryPrimitives.WriteUInt16LittleEndian(blocks[2..], Fp16.FromSingle(LaneBytes.At(found.Min, lane)));
            TPacking.Pack(codes, blocks[ScaleBytes..Format.BlockBytes]);
        }
    }

    protected sealed override void EncodeBest(ReadOnlySpan<T> x, ReadOnlySpan<T> weights, Span<byte> blocks) => EncodeWeighted(x, weights, blocks);

    [SkipLocalsInit]
    protected sealed override void DecodeBlocks(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        Span<byte> codes = stackalloc byte[Length];
        for (; !values.IsEmpty; values = values[Length..], blocks = blocks[Format.BlockBytes..])
        {
            TPacking.Unpack(blocks[ScaleBytes..Format.BlockBytes], codes);
            var scale = Fp16.ToSingle(BinaryPrimitives.ReadUInt16LittleEndian(blocks));
            var min = Fp16.ToSingle(BinaryPrimitives.ReadUInt16LittleEndian(blocks[2..]));
            Elements<T>.Affine(codes, scale, min, values[..Length]);
        }
    }
}

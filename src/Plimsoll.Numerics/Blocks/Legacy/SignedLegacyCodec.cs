using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Plimsoll.Numerics.Blocks.Lanes;
using Plimsoll.Numerics.Blocks.Packing;
using Plimsoll.Numerics.Blocks.Search;
using Plimsoll.Numerics.Codecs;

namespace Plimsoll.Numerics.Blocks.Legacy;

/// <summary>x ≈ d · (code − levels), where d puts the element of largest magnitude on −levels. Q4_0, Q5_0.</summary>
internal abstract class SignedLegacyCodec<T, TPacking>(string name) : SearchedLegacyCodec<T>(name), IBlockGrid
    where T : unmanaged, ILanes<T>
    where TPacking : ICodePacking
{
    /// <summary>Bytes before the codes.</summary>
    private const int ScaleBytes = 2;

    private static readonly float[] Values = EvenLevels.Create(-Levels, 2 * Levels);

    /// <summary>Half the number of codes.</summary>
    private static int Levels
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 1 << (TPacking.Bits - 1);
    }

    int IBlockGrid.SubLength => Length;

    ReadOnlySpan<float> IBlockGrid.Levels => Values;

    void IBlockGrid.ReadGrid(ReadOnlySpan<byte> block, Span<float> scales, Span<float> offsets) =>
        (scales[0], offsets[0]) = (Fp16.ToSingle(BinaryPrimitives.ReadUInt16LittleEndian(block)), 0);

    void IBlockGrid.WriteCodes(ReadOnlySpan<byte> codes, Span<byte> block) => TPacking.Pack(codes, block[ScaleBytes..]);

    [SkipLocalsInit]
    protected sealed override void EncodePlain(ReadOnlySpan<float> values, Span<byte> blocks)
    {
        Span<float> scales = stackalloc float[Batch];
        Span<float> inverses = stackalloc float[Batch];
        Span<ushort> halves = stackalloc ushort[Batch];
        var count = values.Length / Length;
        ref var elements = ref MemoryMarshal.GetReference(values);
        for (var b = 0; b < count; b++)
            scales[b] = BlockRange.LargestMagnitude32<T>(in Unsafe.Add(ref elements, b * Length)) / -Levels;
        FloatCast.ToFp16(scales, halves);
        Inverses(scales, inverses);
        for (var b = 0; b < count; b++, blocks = blocks[Format.BlockBytes..])
        {
            BinaryPrimitives.WriteUInt16LittleEndian(blocks, halves[b]);
            var codes = blocks[ScaleBytes..Format.BlockBytes];
            if (float.IsFinite(inverses[b]))
                TPacking.Encode(in Unsafe.Add(ref elements, b * Length), T.Create(0), T.Create(inverses[b]), Levels + 0.5f, codes);
            else
                codes.Clear();
        }
    }

    [SkipLocalsInit]
    protected sealed override void EncodeWeighted(ReadOnlySpan<T> x, ReadOnlySpan<T> weights, Span<byte> blocks)
    {
        Span<T> codes = stackalloc T[Length];
        Write(SignedScaleSearch.Run(x, weights, Levels, codes), codes, blocks);
    }

    [SkipLocalsInit]
    protected sealed override void EncodeBest(ReadOnlySpan<T> x, ReadOnlySpan<T> weights, Span<byte> blocks)
    {
        Span<T> codes = stackalloc T[Length];
        Write(SignedScaleGrid.Run(x, weights, Levels, codes), codes, blocks);
    }

    [SkipLocalsInit]
    protected sealed override void DecodeBlocks(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        Span<byte> codes = stackalloc byte[Length];
        for (; !values.IsEmpty; values = values[Length..], blocks = blocks[Format.BlockBytes..])
        {
            TPacking.Unpack(blocks[ScaleBytes..Format.BlockBytes], codes);
            Elements<T>.Centred(codes, Levels, Fp16.ToSingle(BinaryPrimitives.ReadUInt16LittleEndian(blocks)), values[..Length]);
        }
    }

    [SkipLocalsInit]
    private void Write(T scale, ReadOnlySpan<T> codes, Span<byte> blocks)
    {
        Span<byte> bytes = stackalloc byte[Length];
        for (var lane = 0; !blocks.IsEmpty; lane++, blocks = blocks[Format.BlockBytes..])
        {
            LaneBytes.Read(codes, lane, bytes);
            BinaryPrimitives.WriteUInt16LittleEndian(blocks, Fp16.FromSingle(LaneBytes.At(scale, lane)));
            TPacking.Pack(bytes, blocks[ScaleBytes..Format.BlockBytes]);
        }
    }
}

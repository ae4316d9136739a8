using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Plimsoll.Numerics.Blocks.Lanes;
using Plimsoll.Numerics.Codecs;

namespace Plimsoll.Numerics.Blocks.Legacy;

/// <summary>FP16 scale amax / 127, 32 signed bytes rounded half away from zero. There is nothing to search.</summary>
internal sealed class Q8_0<T>() : LegacyCodec<T>("Q8_0"), IBlockGrid where T : unmanaged, ILanes<T>
{
    private const int ScaleBytes = 2;
    private const int BlockBytes = ScaleBytes + Length;

    /// <summary>The largest magnitude of a code; −128 is not used.</summary>
    private const int Levels = 127;

    private static readonly float[] Values = EvenLevels.Create(-Levels, 2 * Levels + 1);

    int IBlockGrid.SubLength => Length;

    ReadOnlySpan<float> IBlockGrid.Levels => Values;

    void IBlockGrid.ReadGrid(ReadOnlySpan<byte> block, Span<float> scales, Span<float> offsets) =>
        (scales[0], offsets[0]) = (Fp16.ToSingle(BinaryPrimitives.ReadUInt16LittleEndian(block)), 0);

    void IBlockGrid.WriteCodes(ReadOnlySpan<byte> codes, Span<byte> block)
    {
        for (var i = 0; i < Length; i++)
            block[ScaleBytes + i] = unchecked((byte)(codes[i] - Levels));
    }

    public override ImportanceUse Importance => ImportanceUse.Ignored;

    [SkipLocalsInit]
    protected override void EncodePlain(ReadOnlySpan<float> values, Span<byte> blocks)
    {
        Span<float> scales = stackalloc float[Batch];
        Span<float> inverses = stackalloc float[Batch];
        Span<ushort> halves = stackalloc ushort[Batch];
        var count = values.Length / Length;
        ref var elements = ref MemoryMarshal.GetReference(values);
        for (var b = 0; b < count; b++)
            scales[b] = BlockRange.Magnitude<T>(in Unsafe.Add(ref elements, b * Length), Length) / 127;
        FloatCast.ToFp16(scales, halves);
        Inverses(scales, inverses);
        for (var b = 0; b < count; b++, blocks = blocks[BlockBytes..])
        {
            BinaryPrimitives.WriteUInt16LittleEndian(blocks, halves[b]);
            ref var target = ref MemoryMarshal.GetReference(blocks[ScaleBytes..BlockBytes]);
            if (float.IsFinite(inverses[b]))
            {
                var inverse = T.Create(inverses[b]);
                for (var i = 0; i < Length; i += T.Count)
                    T.StoreBytes(Rounding.AwayFromZero(Elements<T>.At(in elements, b * Length + i) * inverse), ref Unsafe.Add(ref target, i));
            }
            else
                blocks[ScaleBytes..BlockBytes].Clear();
        }
    }

    protected override void DecodeBlocks(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; !values.IsEmpty; values = values[Length..], blocks = blocks[BlockBytes..])
        {
            var scale = T.Create(Fp16.ToSingle(BinaryPrimitives.ReadUInt16LittleEndian(blocks)));
            ref var source = ref MemoryMarshal.GetReference(MemoryMarshal.Cast<byte, sbyte>(blocks[ScaleBytes..BlockBytes]));
            var lanes = MemoryMarshal.Cast<float, T>(values[..Length]);
            for (var i = 0; i < lanes.Length; i++)
                lanes[i] = T.FromSBytes(in Unsafe.Add(ref source, i * T.Count)) * scale;
        }
    }
}

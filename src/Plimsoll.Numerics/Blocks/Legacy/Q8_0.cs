using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Plimsoll.Numerics.Blocks.Lanes;
using Plimsoll.Numerics.Codecs;

namespace Plimsoll.Numerics.Blocks.Legacy;

/// <summary>Q8_0: FP16 scale amax / 127, 32 signed bytes rounded half away from zero.</summary>
internal sealed class Q8_0<T> : BlockCodec where T : unmanaged, ILanes<T>
{
    private const int Length = 32;
    private const int BlockBytes = 2 + Length;

    public override NumberFormat Format => NumberFormats.Q8_0;

    public override ImportanceUse Importance => ImportanceUse.Ignored;

    protected override void EncodeRows(ReadOnlySpan<float> values, int rowLength, Span<byte> blocks, ReadOnlySpan<float> importance, BlockSearch search)
    {
        for (; !values.IsEmpty; values = values[Length..], blocks = blocks[BlockBytes..])
        {
            var scale = BlockRange.Magnitude<T>(values[..Length]) / 127;
            var inverse = scale != 0 ? 1 / scale : 0;
            BinaryPrimitives.WriteUInt16LittleEndian(blocks, Fp16.FromSingle(scale));
            if (!float.IsFinite(inverse))
            {
                blocks[2..BlockBytes].Clear();
                continue;
            }
            ref var target = ref MemoryMarshal.GetReference(blocks[2..BlockBytes]);
            var lanes = MemoryMarshal.Cast<float, T>(values[..Length]);
            var factor = T.Create(inverse);
            for (var i = 0; i < lanes.Length; i++)
                T.StoreBytes(Rounding.AwayFromZero(lanes[i] * factor), ref Unsafe.Add(ref target, i * T.Count));
        }
    }

    protected override void DecodeBlocks(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; !values.IsEmpty; values = values[Length..], blocks = blocks[BlockBytes..])
        {
            var scale = T.Create(Fp16.ToSingle(BinaryPrimitives.ReadUInt16LittleEndian(blocks)));
            ref var source = ref MemoryMarshal.GetReference(MemoryMarshal.Cast<byte, sbyte>(blocks[2..BlockBytes]));
            var lanes = MemoryMarshal.Cast<float, T>(values[..Length]);
            for (var i = 0; i < lanes.Length; i++)
                lanes[i] = T.FromSBytes(in Unsafe.Add(ref source, i * T.Count)) * scale;
        }
    }
}

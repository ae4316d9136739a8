using System.Buffers.Binary;
using Plimsoll.Numerics.Blocks.Lanes;
using Plimsoll.Numerics.Codecs;

namespace Plimsoll.Numerics.Blocks.LowBit;

/// <summary>Q1_0: FP16 scale mean |x|, 128 sign bits, set where the element is not negative.</summary>
internal sealed class Q1_0<T>() : LowBitCodec<T>("Q1_0") where T : unmanaged, ILanes<T>
{
    protected override void EncodeBlock(ReadOnlySpan<float> values, Span<byte> block)
    {
        var sum = 0f;
        block[2..].Clear();
        for (var j = 0; j < values.Length; j++)
        {
            sum += MathF.Abs(values[j]);
            block[2 + j / 8] |= (byte)((values[j] >= 0 ? 1 : 0) << j % 8);
        }
        BinaryPrimitives.WriteUInt16LittleEndian(block, Fp16.FromSingle(sum / values.Length));
    }

    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values)
    {
        var scale = Fp16.ToSingle(BinaryPrimitives.ReadUInt16LittleEndian(block));
        for (var j = 0; j < values.Length; j++)
            values[j] = (block[2 + j / 8] >> j % 8 & 1) != 0 ? scale : -scale;
    }
}

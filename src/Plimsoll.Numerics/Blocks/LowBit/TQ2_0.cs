using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Plimsoll.Numerics.Blocks.Lanes;
using Plimsoll.Numerics.Blocks.Packing;
using Plimsoll.Numerics.Codecs;

namespace Plimsoll.Numerics.Blocks.LowBit;

/// <summary>TQ2_0: 256 ternary codes in two bits each, packed as in Q2_K, then the FP16 scale.</summary>
internal sealed class TQ2_0<T>() : LowBitCodec<T>("TQ2_0") where T : unmanaged, ILanes<T>
{
    private const int CodeBytes = 64;

    [SkipLocalsInit]
    protected override void EncodeBlock(ReadOnlySpan<float> values, Span<byte> block)
    {
        Span<byte> codes = stackalloc byte[values.Length];
        var scale = TernaryCodes.Encode<T>(values, flat: 1, codes);
        BitPlanes.PackPairs(codes, plane: 0, block[..CodeBytes]);
        BinaryPrimitives.WriteUInt16LittleEndian(block[CodeBytes..], Fp16.FromSingle(scale));
    }

    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values)
    {
        Span<byte> codes = stackalloc byte[values.Length];
        BitPlanes.AddPairs(block[..CodeBytes], plane: 0, codes);
        Elements<T>.Centred(codes, 1, Fp16.ToSingle(BinaryPrimitives.ReadUInt16LittleEndian(block[CodeBytes..])), values);
    }
}

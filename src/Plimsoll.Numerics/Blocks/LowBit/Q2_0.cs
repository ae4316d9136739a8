using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Plimsoll.Numerics.Blocks.Lanes;
using Plimsoll.Numerics.Codecs;

namespace Plimsoll.Numerics.Blocks.LowBit;

/// <summary>Q2_0: FP16 scale d, 64 two-bit codes for −d, 0, d, 2d, four consecutive elements to a byte.</summary>
/// <remarks>With d the largest magnitude ggml never writes 2d.</remarks>
internal sealed class Q2_0<T>() : LowBitCodec<T>("Q2_0") where T : unmanaged, ILanes<T>
{
    [SkipLocalsInit]
    protected override void EncodeBlock(ReadOnlySpan<float> values, Span<byte> block)
    {
        Span<byte> codes = stackalloc byte[values.Length];
        BinaryPrimitives.WriteUInt16LittleEndian(block, Fp16.FromSingle(TernaryCodes.Encode<T>(values, flat: 0, codes)));
        for (var j = 0; j < codes.Length; j += 4)
            block[2 + j / 4] = (byte)(codes[j] | codes[j + 1] << 2 | codes[j + 2] << 4 | codes[j + 3] << 6);
    }

    [SkipLocalsInit]
    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values)
    {
        Span<byte> codes = stackalloc byte[values.Length];
        for (var j = 0; j < codes.Length; j++)
            codes[j] = (byte)(block[2 + j / 4] >> (j % 4 * 2) & 3);
        Elements<T>.Centred(codes, 1, Fp16.ToSingle(BinaryPrimitives.ReadUInt16LittleEndian(block)), values);
    }
}

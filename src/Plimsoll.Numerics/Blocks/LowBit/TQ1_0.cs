using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Plimsoll.Numerics.Blocks.Lanes;
using Plimsoll.Numerics.Codecs;

namespace Plimsoll.Numerics.Blocks.LowBit;

/// <summary>TQ1_0: 256 ternary codes, five to a byte, then the FP16 scale.</summary>
/// <remarks>
/// A byte is ⌈256 · v / 243⌉, v the base-3 number of its codes, the first most significant; so 3ⁿ · byte mod 256, times 3, has code n in its ninth bit and up.
/// 32 bytes hold elements 0 … 159 (code n of byte j is element 32n + j), 16 bytes the next 80 (16n + j), 4 bytes the last 16 (4n + j, the fifth code 0).
/// </remarks>
internal sealed class TQ1_0<T>() : LowBitCodec<T>("TQ1_0") where T : unmanaged, ILanes<T>
{
    private const int ScaleAt = 52;

    [SkipLocalsInit]
    protected override void EncodeBlock(ReadOnlySpan<float> values, Span<byte> block)
    {
        Span<byte> codes = stackalloc byte[values.Length];
        var scale = TernaryCodes.Encode<T>(values, flat: 1, codes);
        Pack(codes[..160], 5, block[..32]);
        Pack(codes[160..240], 5, block[32..48]);
        Pack(codes[240..], 4, block[48..ScaleAt]);
        BinaryPrimitives.WriteUInt16LittleEndian(block[ScaleAt..], Fp16.FromSingle(scale));
    }

    [SkipLocalsInit]
    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values)
    {
        Span<byte> codes = stackalloc byte[values.Length];
        Unpack(block[..32], codes[..160]);
        Unpack(block[32..48], codes[160..240]);
        Unpack(block[48..ScaleAt], codes[240..]);
        Elements<T>.Centred(codes, 1, Fp16.ToSingle(BinaryPrimitives.ReadUInt16LittleEndian(block[ScaleAt..])), values);
    }

    private static void Pack(ReadOnlySpan<byte> codes, int perByte, Span<byte> packed)
    {
        for (var j = 0; j < packed.Length; j++)
        {
            var number = 0;
            for (var n = 0; n < 5; n++)
                number = number * 3 + (n < perByte ? codes[n * packed.Length + j] : 0);
            packed[j] = (byte)((number * 256 + 242) / 243);
        }
    }

    private static void Unpack(ReadOnlySpan<byte> packed, Span<byte> codes)
    {
        var shifted = 1;
        for (var start = 0; start < codes.Length; start += packed.Length, shifted *= 3)
        {
            for (var j = 0; j < packed.Length; j++)
                codes[start + j] = (byte)((byte)(packed[j] * shifted) * 3 >> 8);
        }
    }
}

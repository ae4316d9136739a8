using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Plimsoll.Numerics.Blocks.Packing;

namespace Plimsoll.Numerics.Blocks.Legacy;

/// <summary>32 five-bit codes as Q5_0 and Q5_1 store them: a word whose bit j is the fifth bit of code j, then the low four bits in nibbles.</summary>
internal static class FiveBits
{
    private const int WordBytes = 4;
    private const int FifthBit = 4;

    public static void Pack(ReadOnlySpan<byte> codes, Span<byte> packed)
    {
        var fifthBits = (Vector256.LoadUnsafe(ref MemoryMarshal.GetReference(codes[..32])) << (7 - FifthBit)).ExtractMostSignificantBits();
        BinaryPrimitives.WriteUInt32LittleEndian(packed, fifthBits);
        Nibbles.PackPairs(codes, 16, packed[WordBytes..]);
    }

    public static void Unpack(ReadOnlySpan<byte> packed, Span<byte> codes)
    {
        var fifthBits = BinaryPrimitives.ReadUInt32LittleEndian(packed);
        Nibbles.UnpackPairs(packed[WordBytes..], 16, codes);
        for (var j = 0; j < codes.Length; j++)
            codes[j] |= (byte)((fifthBits >> j & 1) << FifthBit);
    }
}

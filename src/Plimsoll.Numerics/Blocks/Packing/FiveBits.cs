using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Plimsoll.Numerics.Blocks.Lanes;

namespace Plimsoll.Numerics.Blocks.Packing;

/// <summary>32 five-bit codes: a word whose bit j is the fifth bit of code j, then the low four bits in nibbles.</summary>
internal readonly struct FiveBits : ICodePacking
{
    private const int Length = 32;
    private const int WordBytes = 4;
    private const int FifthBit = 4;

    public static int Bits => 5;

    public static void Pack(ReadOnlySpan<byte> codes, Span<byte> packed)
    {
        // The fifth bit of each byte is moved to the top of it; what comes over from the byte below stays under it.
        var bytes = Vector256.LoadUnsafe(ref MemoryMarshal.GetReference(codes[..Length]));
        var fifthBits = (bytes.AsUInt16() << (7 - FifthBit)).AsByte().ExtractMostSignificantBits();
        BinaryPrimitives.WriteUInt32LittleEndian(packed, fifthBits);
        Nibbles.PackPairs(codes, Length / 2, packed[WordBytes..]);
    }

    public static void Unpack(ReadOnlySpan<byte> packed, Span<byte> codes)
    {
        var fifthBits = BinaryPrimitives.ReadUInt32LittleEndian(packed);
        Nibbles.UnpackPairs(packed[WordBytes..], Length / 2, codes);
        ref var target = ref MemoryMarshal.GetReference(codes);
        for (var j = 0; j < Length; j += 8)
        {
            // A bit of the byte stays in each of its eight copies; where it is set, the sum carries into bit 7.
            const ulong Copies = 0x0101_0101_0101_0101, OneEach = 0x8040_2010_0804_0201, Carry = 0x7F7F_7F7F_7F7F_7F7F;
            var bits = (fifthBits >> j & 0xFF) * Copies & OneEach;
            var fifth = ((bits & Carry) + Carry | bits) >> (7 - FifthBit) & Copies << FifthBit;
            ref var eight = ref Unsafe.Add(ref target, j);
            Unsafe.WriteUnaligned(ref eight, Unsafe.ReadUnaligned<ulong>(ref eight) | fifth);
        }
    }

    [SkipLocalsInit]
    public static void Encode<T>(ref readonly float values, T offset, T inverse, float bias, Span<byte> packed) where T : unmanaged, ILanes<T>
    {
        Span<byte> codes = stackalloc byte[Length];
        ref var target = ref MemoryMarshal.GetReference(codes);
        var (added, high) = (T.Create(bias), T.Create(31));
        for (var i = 0; i < Length; i += T.Count)
            T.StoreBytes(T.Min((Elements<T>.At(in values, i) - offset) * inverse + added, high), ref Unsafe.Add(ref target, i));
        Pack(codes, packed);
    }
}

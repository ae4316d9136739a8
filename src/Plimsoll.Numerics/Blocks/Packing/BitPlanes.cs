using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Plimsoll.Numerics.Blocks.Packing;

/// <summary>One or two bits of each of 256 codes, of elements 32 apart side by side in a byte. Eight bytes at a time.</summary>
internal static class BitPlanes
{
    private const int Stride = 32;
    private const ulong Ones = 0x0101_0101_0101_0101;
    private const ulong Threes = 0x0303_0303_0303_0303;

    /// <summary>Bit s of byte j is bit <paramref name="plane"/> of code 32 · s + j.</summary>
    /// <param name="codes">(256).</param>
    /// <param name="packed">(32).</param>
    public static void Pack(ReadOnlySpan<byte> codes, int plane, Span<byte> packed) => Pack(codes, plane, 1, Ones, packed);

    /// <summary>Sets bit <paramref name="plane"/> of each code from the bytes of <see cref="Pack(ReadOnlySpan{byte}, int, Span{byte})"/>.</summary>
    public static void Add(ReadOnlySpan<byte> packed, int plane, Span<byte> codes) => Add(packed, plane, 1, Ones, codes);

    /// <summary>Of each 128 codes, bits 2s and 2s + 1 of byte j are bits <paramref name="plane"/> and plane + 1 of code 32 · s + j.</summary>
    /// <param name="codes">(256).</param>
    /// <param name="packed">(64).</param>
    public static void PackPairs(ReadOnlySpan<byte> codes, int plane, Span<byte> packed)
    {
        Pack(codes[..128], plane, 2, Threes, packed[..Stride]);
        Pack(codes[128..], plane, 2, Threes, packed[Stride..]);
    }

    /// <summary>Sets bits <paramref name="plane"/> and plane + 1 of each code from <see cref="PackPairs"/>'s bytes.</summary>
    public static void AddPairs(ReadOnlySpan<byte> packed, int plane, Span<byte> codes)
    {
        Add(packed[..Stride], plane, 2, Threes, codes[..128]);
        Add(packed[Stride..], plane, 2, Threes, codes[128..]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Pack(ReadOnlySpan<byte> codes, int plane, int bits, ulong mask, Span<byte> packed)
    {
        ref var source = ref MemoryMarshal.GetReference(codes[..(Stride * 8 / bits)]);
        ref var target = ref MemoryMarshal.GetReference(packed[..Stride]);
        for (var j = 0; j < Stride; j += 8)
        {
            var bytes = 0UL;
            for (var s = 0; s < 8 / bits; s++)
                bytes |= (Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref source, s * Stride + j)) >> plane & mask) << (s * bits);
            Unsafe.WriteUnaligned(ref Unsafe.Add(ref target, j), bytes);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(ReadOnlySpan<byte> packed, int plane, int bits, ulong mask, Span<byte> codes)
    {
        ref var source = ref MemoryMarshal.GetReference(packed[..Stride]);
        ref var target = ref MemoryMarshal.GetReference(codes[..(Stride * 8 / bits)]);
        for (var j = 0; j < Stride; j += 8)
        {
            var bytes = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref source, j));
            for (var s = 0; s < 8 / bits; s++)
            {
                ref var code = ref Unsafe.Add(ref target, s * Stride + j);
                Unsafe.WriteUnaligned(ref code, Unsafe.ReadUnaligned<ulong>(ref code) | (bytes >> (s * bits) & mask) << plane);
            }
        }
    }
}

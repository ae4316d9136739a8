using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Plimsoll.Numerics.Blocks.Packing;

/// <summary>Two 4-bit codes in a byte, halves of a run of elements in the low and the high nibbles. Eight bytes at a time.</summary>
internal static class Nibbles
{
    private const ulong LowMask = 0x0F0F_0F0F_0F0F_0F0F;

    /// <summary>Of each 2 · <paramref name="half"/> elements, byte j holds the low four bits of element j and, above, of element j + half.</summary>
    /// <param name="half">A multiple of 8.</param>
    public static void PackPairs(ReadOnlySpan<byte> codes, int half, Span<byte> packed)
    {
        ref var source = ref MemoryMarshal.GetReference(codes);
        ref var target = ref MemoryMarshal.GetReference(packed[..(codes.Length / 2)]);
        for (var run = 0; run < codes.Length; run += 2 * half)
        {
            for (var j = 0; j < half; j += 8)
            {
                var low = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref source, run + j));
                var high = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref source, run + j + half));
                Unsafe.WriteUnaligned(ref Unsafe.Add(ref target, run / 2 + j), low & LowMask | (high & LowMask) << 4);
            }
        }
    }

    /// <summary>The inverse of <see cref="PackPairs"/>.</summary>
    public static void UnpackPairs(ReadOnlySpan<byte> packed, int half, Span<byte> codes)
    {
        ref var source = ref MemoryMarshal.GetReference(packed[..(codes.Length / 2)]);
        ref var target = ref MemoryMarshal.GetReference(codes);
        for (var run = 0; run < codes.Length; run += 2 * half)
        {
            for (var j = 0; j < half; j += 8)
            {
                var pairs = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref source, run / 2 + j));
                Unsafe.WriteUnaligned(ref Unsafe.Add(ref target, run + j), pairs & LowMask);
                Unsafe.WriteUnaligned(ref Unsafe.Add(ref target, run + j + half), pairs >> 4 & LowMask);
            }
        }
    }
}

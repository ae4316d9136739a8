using System.Runtime.InteropServices;

namespace Plimsoll.Numerics.Packing;

/// <summary>Codes of 1 to 8 bits in 32-bit words: one behind the other, the first in the lowest bits, across the borders of words where they do not divide.</summary>
/// <remarks>
/// The packing of GPTQ (whose three words for 32 three-bit codes are this stream), compressed-tensors and MLX. Little-endian words are a little-endian stream.
/// </remarks>
public static class BitStream
{
    private const int WordBits = 32;

    /// <summary>The words that hold so many codes; the last may have bits to spare.</summary>
    public static long WordsFor(long codes, int bits) => checked(codes * bits + WordBits - 1) / WordBits;

    /// <param name="codes">Codes below 2^bits.</param>
    /// <param name="words">Exactly as many as <see cref="WordsFor"/> says; overwritten, spare bits are zero.</param>
    public static void Pack(ReadOnlySpan<byte> codes, int bits, Span<uint> words)
    {
        Check(codes.Length, bits, words.Length);
        if (bits == 4 && codes.Length % 8 == 0)
        {
            Nibbles.PackLowFirst(codes, MemoryMarshal.AsBytes(words));
            return;
        }
        var (pending, filled, at) = (0UL, 0, 0);
        foreach (var code in codes)
        {
            pending |= (ulong)code << filled;
            filled += bits;
            if (filled >= WordBits)
            {
                words[at++] = (uint)pending;
                pending >>= WordBits;
                filled -= WordBits;
            }
        }
        if (filled > 0)
            words[at] = (uint)pending;
    }

    public static void Unpack(ReadOnlySpan<uint> words, int bits, Span<byte> codes)
    {
        Check(codes.Length, bits, words.Length);
        if (bits == 4 && codes.Length % 8 == 0)
        {
            Nibbles.UnpackLowFirst(MemoryMarshal.AsBytes(words), codes);
            return;
        }
        var mask = (1u << bits) - 1;
        var (pending, filled, at) = (0UL, 0, 0);
        for (var index = 0; index < codes.Length; index++)
        {
            if (filled < bits)
            {
                pending |= (ulong)words[at++] << filled;
                filled += WordBits;
            }
            codes[index] = (byte)(pending & mask);
            pending >>= bits;
            filled -= bits;
        }
    }

    private static void Check(int codes, int bits, int words)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bits, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bits, 8);
        if (words != WordsFor(codes, bits))
            throw new ArgumentException($"{codes} codes of {bits} bits take {WordsFor(codes, bits)} words, not {words}", nameof(words));
    }
}

using System.Numerics;

namespace Plimsoll.Numerics.Blocks.Lattice;

/// <summary>The signs of eight weights in a byte, bit i set where weight i is negative.</summary>
internal static class SignBits
{
    /// <summary>For each byte of signs, eight bytes: 0xFF where the bit is set.</summary>
    private static readonly ulong[] Masks = [.. Enumerable.Range(0, 256).Select(Mask)];

    /// <summary>The eight signs of which seven are stored: the eighth makes the number of minus signs even (ksigns_iq2xs of ggml-common.h).</summary>
    public static byte FromSeven(uint stored)
    {
        var seven = stored & 127;
        return (byte)(seven | (uint)(BitOperations.PopCount(seven) & 1) << 7);
    }

    /// <summary>Eight bytes, each positive and below 128, with the signs put to them.</summary>
    public static ulong Apply(ulong magnitudes, byte signs)
    {
        var mask = Masks[signs];
        // −m = ~m + 1; there is no carry into the next byte because m is not zero.
        return (magnitudes ^ mask) + (mask & 0x0101_0101_0101_0101);
    }

    private static ulong Mask(int signs)
    {
        var mask = 0UL;
        for (var i = 0; i < 8; i++)
            mask |= (signs >> i & 1) != 0 ? 0xFFUL << 8 * i : 0;
        return mask;
    }
}

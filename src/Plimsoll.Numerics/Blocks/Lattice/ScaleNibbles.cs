namespace Plimsoll.Numerics.Blocks.Lattice;

/// <summary>The 4-bit scales of neighbouring sub-blocks in a byte, the first in the low bits.</summary>
internal static class ScaleNibbles
{
    public static void Pack(ReadOnlySpan<byte> scales, Span<byte> packed)
    {
        for (var j = 0; j < scales.Length; j += 2)
            packed[j / 2] = (byte)(scales[j] | scales[j + 1] << 4);
    }

    public static void Unpack(ReadOnlySpan<byte> packed, Span<byte> scales)
    {
        for (var j = 0; j < scales.Length; j++)
            scales[j] = (byte)(packed[j / 2] >> j % 2 * 4 & 15);
    }
}

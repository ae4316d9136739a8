namespace Plimsoll.Numerics.Blocks.KQuants;

/// <summary>Eight 6-bit scales and eight 6-bit minimums in 12 bytes, as Q4_K and Q5_K store them.</summary>
/// <remarks>
/// Bytes 0 … 3 and 4 … 7 hold scales and minimums 0 … 3 in their low six bits; bytes 8 … 11 hold the low four bits of scales and minimums 4 … 7, whose upper
/// two bits are on top of the first eight bytes. Source: <c>get_scale_min_k4</c> of ggml-quants.c.
/// </remarks>
internal static class SixBitScales
{
    public const int Bytes = 12;

    public static void Write(ReadOnlySpan<byte> scales, ReadOnlySpan<byte> mins, Span<byte> packed)
    {
        for (var j = 0; j < 4; j++)
        {
            packed[j] = (byte)(scales[j] | scales[j + 4] >> 4 << 6);
            packed[j + 4] = (byte)(mins[j] | mins[j + 4] >> 4 << 6);
            packed[j + 8] = (byte)(scales[j + 4] & 15 | (mins[j + 4] & 15) << 4);
        }
    }

    /// <summary>The codes times the FP16 scales of the super-block.</summary>
    public static void Read(ReadOnlySpan<byte> packed, float scale, float min, Span<float> scales, Span<float> mins)
    {
        for (var j = 0; j < 4; j++)
        {
            scales[j] = scale * (packed[j] & 63);
            mins[j] = min * (packed[j + 4] & 63);
            scales[j + 4] = scale * (packed[j + 8] & 15 | packed[j] >> 6 << 4);
            mins[j + 4] = min * (packed[j + 8] >> 4 | packed[j + 4] >> 6 << 4);
        }
    }
}

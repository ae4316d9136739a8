namespace Plimsoll.Numerics.Quantizers;

/// <summary>Double quantization of bitsandbytes: the block scales of 4-bit weights become 8-bit codes of a "dynamic" map, with one FP32 scale per 256 and one offset.</summary>
/// <remarks>
/// absmax[b] ≈ map[code[b]] · nested[b / 256] + offset, offset = the mean of all absmaxes. Source: bitsandbytes functional.py (quantize_4bit with
/// compress_statistics, quantize_blockwise, create_dynamic_map).
/// </remarks>
public static class DoubleQuantizer
{
    /// <summary>Block scales that share a nested scale.</summary>
    public const int BlockLength = 256;

    /// <summary>What the codes stand for, relative to the nested scale.</summary>
    public static ReadOnlySpan<float> Map => DynamicMap.Signed;

    private static readonly float[] Midpoints = DynamicMap.Midpoints(DynamicMap.Signed);

    /// <param name="absmax">The scales of all blocks of a tensor.</param>
    /// <param name="codes">One per block.</param>
    /// <param name="nested">One per 256 blocks.</param>
    /// <returns>The offset.</returns>
    public static float Encode(ReadOnlySpan<float> absmax, Span<byte> codes, Span<float> nested)
    {
        var sum = 0.0;
        foreach (var scale in absmax)
            sum += scale;
        var offset = absmax.IsEmpty ? 0 : (float)(sum / absmax.Length);
        for (var block = 0; block < nested.Length; block++)
        {
            var (first, end) = (block * BlockLength, Math.Min(absmax.Length, (block + 1) * BlockLength));
            var largest = 0f;
            foreach (var scale in absmax[first..end])
                largest = Math.Max(largest, Math.Abs(scale - offset));
            nested[block] = largest;
            for (var at = first; at < end; at++)
                codes[at] = Nearest(largest > 0 ? (absmax[at] - offset) / largest : 0);
        }
        return offset;
    }

    /// <param name="map">The map that the checkpoint brings along, 256 values.</param>
    public static void Decode(ReadOnlySpan<byte> codes, ReadOnlySpan<float> map, ReadOnlySpan<float> nested, float offset, Span<float> absmax)
    {
        for (var at = 0; at < codes.Length; at++)
            absmax[at] = map[codes[at]] * nested[at / BlockLength] + offset;
    }

    private static byte Nearest(float value)
    {
        var at = Array.BinarySearch(Midpoints, value);
        return (byte)(at >= 0 ? at : ~at);
    }
}

namespace Plimsoll.Numerics.Packing;

/// <summary>The 32-bit word of AWQ's <c>gemm</c> layout: eight neighbouring output columns, in an order that its kernel unpacks two at a time.</summary>
/// <remarks>Source: AutoAWQ, WQLinear_GEMM.pack: nibble n holds column order[n] of the eight.</remarks>
public static class AwqWord
{
    public const int Columns = 8;

    private static ReadOnlySpan<byte> Order => [0, 2, 4, 6, 1, 3, 5, 7];

    /// <param name="codes">The codes of eight neighbouring columns.</param>
    public static uint Pack(ReadOnlySpan<byte> codes)
    {
        var word = 0u;
        for (var nibble = 0; nibble < Columns; nibble++)
            word |= (uint)codes[Order[nibble]] << (4 * nibble);
        return word;
    }

    public static void Unpack(uint word, Span<byte> codes)
    {
        for (var nibble = 0; nibble < Columns; nibble++)
            codes[Order[nibble]] = (byte)(word >> (4 * nibble) & 0xF);
    }
}

using System.Runtime.CompilerServices;
using Plimsoll.Numerics.Blocks.Lanes;
using Plimsoll.Numerics.Blocks.Packing;

namespace Plimsoll.Numerics.Blocks.Microscaling;

/// <summary>MXFP4 in ggml's layout: one E8M0 scale, 32 E2M1 codes, the first 16 in the low nibbles.</summary>
/// <remarks>The exponent is ⌊log₂ amax⌋ − 2 (OCP Microscaling Formats 1.0), so magnitudes above 6/8 of the next power of two are clipped.</remarks>
internal sealed class MXFP4<T> : BlockCodec where T : unmanaged, ILanes<T>
{
    private const int Length = 32;
    private const int BlockBytes = 1 + Length / 2;
    private const int Bias = 127;

    /// <summary>The exponent of 4, the largest power of two among the E2M1 magnitudes.</summary>
    private const int LargestExponent = 2;

    public override NumberFormat Format => NumberFormats.Mxfp4;

    public override ImportanceUse Importance => ImportanceUse.Ignored;

    [SkipLocalsInit]
    protected override void EncodeRows(ReadOnlySpan<float> values, int rowLength, Span<byte> blocks, ReadOnlySpan<float> importance, BlockSearch search)
    {
        Span<byte> codes = stackalloc byte[Length];
        for (; !values.IsEmpty; values = values[Length..], blocks = blocks[BlockBytes..])
        {
            var amax = BlockRange.Magnitude<T>(values[..Length]);
            blocks[0] = amax > 0 ? unchecked((byte)(FloorLog2(amax) - LargestExponent + Bias)) : (byte)0;
            E2M1Codes.Encode<T>(values[..Length], HalfScale(blocks[0]), codes);
            Nibbles.PackPairs(codes, Length / 2, blocks[1..BlockBytes]);
        }
    }

    [SkipLocalsInit]
    protected override void DecodeBlocks(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        Span<byte> codes = stackalloc byte[Length];
        for (; !values.IsEmpty; values = values[Length..], blocks = blocks[BlockBytes..])
        {
            Nibbles.UnpackPairs(blocks[1..BlockBytes], Length / 2, codes);
            E2M1Codes.Decode(codes, HalfScale(blocks[0]), values[..Length]);
        }
    }

    /// <summary>2^(code − 128), for code 255 too: half of the scale, because the E2M1 values are doubled.</summary>
    private static float HalfScale(byte code) => BitConverter.UInt32BitsToSingle(code < 2 ? 0x0020_0000u << code : (uint)(code - 1) << 23);

    /// <summary>⌊log₂⌋ with the logarithm rounded to float first, as ggml does: just below a power of two that already gives the next integer.</summary>
    private static int FloorLog2(float value) => (int)MathF.Floor((float)Math.Log2(value));
}

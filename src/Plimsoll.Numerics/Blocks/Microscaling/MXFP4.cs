using Plimsoll.Numerics.Blocks.Lanes;

namespace Plimsoll.Numerics.Blocks.Microscaling;

/// <summary>MXFP4 in ggml's layout: one E8M0 scale, 32 E2M1 codes, the first 16 in the low nibbles.</summary>
/// <remarks>The exponent is ⌊log₂ amax⌋ − 2 (OCP Microscaling Formats 1.0), so magnitudes above 6/8 of the next power of two are clipped.</remarks>
internal sealed class MXFP4<T>() : MicroscalingCodec<T>(NumberFormats.Mxfp4, groupLength: 32) where T : unmanaged, ILanes<T>
{
    private const int Bias = 127;

    /// <summary>The exponent of 4, the largest power of two among the E2M1 magnitudes.</summary>
    private const int LargestExponent = 2;

    protected override (int, int) SearchedCodes => (-3, 1);

    protected override byte LargestCode => 254;

    protected override byte ScaleCode(float magnitude) => magnitude > 0 ? unchecked((byte)(FloorLog2(magnitude) - LargestExponent + Bias)) : (byte)0;

    /// <summary>2^(code − 128), for code 255 too.</summary>
    protected override float HalfScale(byte code) => BitConverter.UInt32BitsToSingle(code < 2 ? 0x0020_0000u << code : (uint)(code - 1) << 23);

    /// <summary>⌊log₂⌋ with the logarithm rounded to float first, as ggml does: just below a power of two that already gives the next integer.</summary>
    private static int FloorLog2(float value) => (int)MathF.Floor((float)Math.Log2(value));
}

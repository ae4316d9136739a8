using Plimsoll.Numerics.Blocks.Lanes;

namespace Plimsoll.Numerics.Blocks.Microscaling;

/// <summary>NVFP4 in ggml's layout: four unsigned E4M3 scales, then 4 × 16 E2M1 codes, the first 8 of each group in the low nibbles.</summary>
internal sealed class NVFP4<T>() : MicroscalingCodec<T>(NumberFormats.Find("NVFP4_GGML")!, groupLength: 16) where T : unmanaged, ILanes<T>
{
    /// <summary>The largest E2M1 magnitude.</summary>
    private const float LargestElement = 6;

    protected override (int, int) SearchedCodes => (-12, 6);

    protected override byte LargestCode => UnsignedE4M3.Largest;

    /// <summary>Without it, weights of usual size have scales among the few subnormal numbers of E4M3.</summary>
    public override float TensorScale(float largestMagnitude) => largestMagnitude > 0 ? largestMagnitude / (LargestElement * UnsignedE4M3.MaxValue) : 1;

    protected override byte ScaleCode(float magnitude) => UnsignedE4M3.Encode(magnitude / LargestElement);

    protected override float HalfScale(byte code) => UnsignedE4M3.HalfValue(code);
}

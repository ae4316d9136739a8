using static TorchSharp.torch;

namespace Plimsoll.Torch.Decoders;

/// <summary>x / sqrt(mean(x²) + ε) · (w + offset), computed in FP32 whatever x is.</summary>
/// <remarks>As transformers: the normalized value is rounded to the type of x before it is multiplied, except with an offset (Gemma), where the product is FP32.</remarks>
internal sealed class RootMeanSquareNorm(float epsilon, float offset)
{
    public float Offset => offset;

    /// <param name="values">(…, width).</param>
    /// <param name="weight">(width).</param>
    public Tensor Apply(Tensor values, Weight weight)
    {
        using var scope = NewDisposeScope();
        var wide = values.to(ScalarType.Float32);
        var normalized = wide * rsqrt(wide.pow(2).mean([-1], keepdim: true) + epsilon);
        var result = offset == 0
            ? normalized.to(values.dtype) * weight.Value
            : (normalized * (weight.Value.to(ScalarType.Float32) + offset)).to(values.dtype);
        return result.MoveToOuterDisposeScope();
    }
}

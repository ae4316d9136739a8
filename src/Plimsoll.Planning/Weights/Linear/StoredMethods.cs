using System.Globalization;
using Plimsoll.Checkpoints.HuggingFace;
using static Plimsoll.Planning.Weights.Linear.LinearMethod;

namespace Plimsoll.Planning.Weights.Linear;

/// <summary>From how a configuration says that a layer is stored to the bytes of the layer.</summary>
internal static class StoredMethods
{
    public static LinearMethod Of(QuantizationScheme scheme)
    {
        var bits = (int)scheme.Bits;
        var group = scheme.GroupSize ?? -1;
        return (scheme.Method, scheme.Code) switch
        {
            _ when scheme.IsNvFp4 => MicroScaling.Nvfp4,
            (QuantizationMethod.Mxfp4, _) => MicroScaling.Mxfp4,
            _ when scheme.IsMx => MicroScaling.Compressed(bits),
            (QuantizationMethod.BitsAndBytes, QuantizationCode.Integer) => BitsAndBytes.EightBit(experts: false),
            (QuantizationMethod.BitsAndBytes, _) => BitsAndBytes.FourBit(scheme.Code == QuantizationCode.NormalFloat ? "nf4" : "fp4", scheme.DoubleQuantized, experts: false),
            (_, QuantizationCode.Float) when bits == 8 && scheme.Block is { } block => Fp8.Block(block.Rows, block.Columns),
            (_, QuantizationCode.Float) when bits == 8 => scheme.Sharing == QuantizationSharing.Channel ? Fp8.Channel : Fp8.Tensor,
            (QuantizationMethod.Gptq or QuantizationMethod.AutoRound, QuantizationCode.Integer) when scheme.Bits is 2 or 3 or 4 or 8 => Gptq.Method(bits, group),
            (QuantizationMethod.Awq, QuantizationCode.Integer) when bits == 4 => Awq.Method(group),
            (QuantizationMethod.Hqq, QuantizationCode.Integer) when group > 0 => Hqq.Method(bits, group),
            (QuantizationMethod.CompressedTensors, QuantizationCode.Integer) when scheme.Activations is { Bits: 8 } && bits == 8 => CompressedTensors.W8A8,
            (QuantizationMethod.CompressedTensors, QuantizationCode.Integer) when scheme.Activations is null or { Bits: 16 } => CompressedTensors.WeightOnly(bits, group, scheme.Symmetric == false),
            _ => ByBits(scheme),
        };
    }

    /// <summary>Layouts that are not modelled to the byte: the codes, and two 16-bit numbers for each group or row. Averages of codebook methods hold all they store.</summary>
    private static LinearMethod ByBits(QuantizationScheme scheme) => new()
    {
        Name = scheme.PrecisionName,
        Summary = scheme.Describe(),
        Codes = PlainScheme.Integer(Math.Max(1, (int)Math.Ceiling(scheme.Bits))),
        Approximation = scheme.Method == QuantizationMethod.Mlx ? null
            : string.Create(CultureInfo.InvariantCulture, $"{scheme.Describe()}: the layout is not modelled to the byte; counted as {scheme.Bits:0.##} bits a weight{(scheme.Code == QuantizationCode.Codebook ? "" : " and 32 bits a scale")}."),
        BytesOfLayer = (outputs, inputs) =>
        {
            var scales = scheme.Sharing switch
            {
                _ when scheme.Code == QuantizationCode.Codebook => 0,
                QuantizationSharing.Group => outputs * Units(inputs, scheme.GroupSize ?? inputs),
                QuantizationSharing.Block => Units(outputs, scheme.Block!.Value.Rows) * Units(inputs, scheme.Block.Value.Columns),
                QuantizationSharing.Tensor => 1,
                _ => outputs,
            };
            return checked((long)Math.Ceiling(outputs * inputs * scheme.Bits / 8) + scales * 4);
        },
    };
}

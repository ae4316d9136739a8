using System.Text.RegularExpressions;
using Plimsoll.Models;
using Plimsoll.Planning.Weights;

namespace Plimsoll.Planning.Accuracy;

/// <summary>From the way a source writes a precision to a precision scheme.</summary>
internal static partial class CasePrecision
{
    /// <summary>Behind a precision: the output head is quantized like the layers, as LitGPT does.</summary>
    public const string WithHead = "+head";

    /// <summary>A quantization tag at the end of a model name, where file names put it.</summary>
    [GeneratedRegex(@"(?<=[\s\-_.])(UD-)?((I?Q\d(_\w+)*)|F16|BF16|MXFP4|IQ\d_\w+)(?=$|[\s.])", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex FileTag { get; }

    /// <exception cref="CaseRefusedException">The precision is unknown, or cannot hold this model.</exception>
    public static WeightSet Weights(string precision, ModelShape shape)
    {
        if (precision.EndsWith(WithHead, StringComparison.Ordinal))
            return QuantizeHead(Weights(precision[..^WithHead.Length], shape));
        var scheme = PrecisionScheme.Find(Canonical(precision)) ?? throw new CaseRefusedException($"the precision '{precision}' is not a known scheme");
        try
        {
            return scheme.Apply(shape);
        }
        catch (PrecisionNotApplicableException failure)
        {
            throw new CaseRefusedException(failure.Message);
        }
    }

    /// <summary>The tag of a GGUF file in a model name, for example <c>Q4_K_M</c> in <c>Qwen3.6-27B Q4_K_M</c>; null when there is none.</summary>
    public static string? TagOf(string model) => FileTag.Match(model) is { Success: true } match ? match.Value : null;

    private static WeightSet QuantizeHead(WeightSet weights)
    {
        var layer = weights.Tensors.First(tensor => tensor.Shape is { IsLinear: true, Layer: not null } && tensor.Format.BitsPerWeight < 16);
        var bytesPerWeight = (double)layer.Bytes / layer.Shape.Elements;
        return weights with
        {
            Tensors = [.. weights.Tensors.Select(tensor => tensor.Shape.Role == TensorRole.OutputHead && tensor.Shape.IsLinear
                ? tensor with { Format = layer.Format, Bytes = (long)(tensor.Shape.Elements * bytesPerWeight) }
                : tensor)],
        };
    }

    /// <summary>llama.cpp prints <c>Q4_K - Medium</c> for the mix that files call <c>Q4_K_M</c>, and appends <c>- 4.25 bpw</c> to others.</summary>
    private static string Canonical(string precision)
    {
        var parts = precision.Split(" - ", 2, StringSplitOptions.TrimEntries);
        if (parts.Length == 1)
            return precision;
        return parts[1].ToLowerInvariant() switch
        {
            "small" => parts[0] + "_S",
            "medium" => parts[0] + "_M",
            "large" => parts[0] + "_L",
            _ => parts[0],
        };
    }
}

using System.Collections.Immutable;
using Plimsoll.Checkpoints.HuggingFace;

namespace Plimsoll.Checkpoints.Layouts;

/// <summary>A contradiction among the tensors of one parameter, or between them and the configuration.</summary>
/// <param name="IsMissing">A tensor is absent; otherwise one has the wrong size.</param>
/// <param name="Text">What is wrong, to follow the parameter's name and a colon.</param>
public readonly record struct LayoutContradiction(bool IsMissing, string Text);

/// <summary>Compares the shapes of a quantized parameter's tensors with each other and with the configuration.</summary>
/// <remarks>Each rule is the layout's own (see <see cref="StorageLayout"/>); nothing is said where a shape has several legal forms.</remarks>
public static class LayoutCheck
{
    public static IEnumerable<LayoutContradiction> Find(ParameterStorage parameter) => parameter.Layout switch
    {
        StorageLayout.Gptq => Gptq(parameter),
        StorageLayout.Awq => Awq(parameter),
        StorageLayout.BitsAndBytes4 => BitsAndBytes(parameter),
        StorageLayout.BitsAndBytes8 => Shape(parameter, "SCB", [parameter.Dimensions is [var outputs, _] ? outputs : null]),
        StorageLayout.PackedIntegers => PackedIntegers(parameter),
        StorageLayout.Scaled => Scaled(parameter),
        StorageLayout.Nvfp4 or StorageLayout.Mxfp4 => Blocks(parameter),
        StorageLayout.Incomplete => [new(parameter.FindAny("scales", "weight_scale") is null, Incomplete(parameter))],
        _ => [],
    };

    private static string Incomplete(ParameterStorage parameter)
    {
        var words = parameter.Main;
        return parameter.Find("scales") is { } scales
            ? $"qweight {Text(words.Dimensions)} and scales {Text(scales.Dimensions)} fit neither GPTQ nor AWQ"
            : $"{words.Format} {Text(words.Dimensions)} without scales";
    }

    private static IEnumerable<LayoutContradiction> Gptq(ParameterStorage parameter)
    {
        if (parameter.Dimensions is not [var outputs, var inputs] || parameter.Bits is not { } bits)
        {
            yield return new(true, "neither g_idx, qzeros nor the configuration tells the number of bits");
            yield break;
        }
        var groups = parameter.Find("scales")!.Dimensions[0];
        foreach (var problem in Bits(parameter).Concat(Groups(parameter, inputs, groups)))
            yield return problem;
        foreach (var problem in Shape(parameter, "qzeros", [groups, outputs * bits / 32]))
            yield return problem;
        if (parameter.Find("g_idx") is not null || parameter.Scheme?.ActOrder == true)
        {
            foreach (var problem in Shape(parameter, "g_idx", [inputs]))
                yield return problem;
        }
    }

    private static IEnumerable<LayoutContradiction> Awq(ParameterStorage parameter)
    {
        if (parameter.Dimensions is not [var outputs, var inputs])
            return [];
        var groups = parameter.Find("scales")!.Dimensions[0];
        return Bits(parameter).Concat(Groups(parameter, inputs, groups)).Concat(Shape(parameter, "qzeros", [groups, outputs / 8]));
    }

    private static IEnumerable<LayoutContradiction> PackedIntegers(ParameterStorage parameter)
    {
        if (parameter.Dimensions is not [var outputs, var inputs] || parameter.Scheme is not { } scheme)
            yield break;
        long? columns = scheme.Sharing switch
        {
            QuantizationSharing.Group when scheme.GroupSize is { } size => Units(inputs, size),
            QuantizationSharing.Channel => 1,
            _ => null,
        };
        foreach (var problem in Shape(parameter, "weight_scale", scheme.Sharing == QuantizationSharing.Tensor ? null : [outputs, columns]))
            yield return problem;
        if (scheme.Symmetric == false)
        {
            foreach (var problem in Shape(parameter, "weight_zero_point", null))
                yield return problem;
        }
        if (scheme.ActOrder)
        {
            foreach (var problem in Shape(parameter, "weight_g_idx", [inputs]))
                yield return problem;
        }
    }

    private static IEnumerable<LayoutContradiction> Scaled(ParameterStorage parameter)
    {
        var scale = parameter.FindAny("weight_scale", "weight_scale_inv", "scale_inv", "scale");
        if (scale is null)
        {
            yield return new(true, $"{parameter.Main.Format} without scales");
            yield break;
        }
        if (parameter.Dimensions is not [.., var outputs, var inputs])
            yield break;
        if (parameter.TypeName == parameter.Main.Format.Name)
            yield return new(false, $"scales {Text(scale.Dimensions)} fit neither the tensor {Text(parameter.Dimensions.Value)}, its rows nor square blocks of it");
        else if (parameter.Scheme?.Block is { } block && parameter.Dimensions.Value.Length == 2 && scale.Elements != Units(outputs, block.Rows) * Units(inputs, block.Columns))
            yield return new(false, $"scales {Text(scale.Dimensions)}, expected {Text([Units(outputs, block.Rows), Units(inputs, block.Columns)])} for blocks of {block.Rows}×{block.Columns}");
    }

    private static IEnumerable<LayoutContradiction> Blocks(ParameterStorage parameter)
    {
        var (elements, group) = (parameter.Elements ?? 0, parameter.GroupSize ?? 32);
        if (parameter.FindAny("weight_scale", "scales", "scale") is not { } scale)
            yield return new(true, "FP4 codes without scales");
        else if (scale.Elements != Units(elements, group))
            yield return new(false, $"{scale.Elements:N0} scales, expected {Units(elements, group):N0}, one per {group} weights");
        // ModelOpt calls the scale of the whole tensor weight_scale_2, compressed-tensors weight_global_scale.
        if (parameter.Layout == StorageLayout.Nvfp4 && parameter.FindAny("weight_scale_2", "weight_global_scale") is null)
            yield return new(true, "NVFP4 without weight_scale_2 or weight_global_scale, the scale of the whole tensor");
    }

    private static IEnumerable<LayoutContradiction> BitsAndBytes(ParameterStorage parameter)
    {
        var scales = parameter.Find("absmax")!.Elements;
        if (parameter.GroupSize is null)
            yield return new(false, $"{scales:N0} block scales for {parameter.Elements:N0} weights, which no block size of bitsandbytes gives");
        if (parameter.Find("nested_absmax") is { } nested && nested.Elements != Units(scales, 256))
            yield return new(false, $"nested_absmax of {nested.Elements:N0}, expected {Units(scales, 256):N0}, one per 256 block scales");
        if (!parameter.Parts.Any(part => part.Part.StartsWith("bitsandbytes__", StringComparison.Ordinal)))
            yield return new(true, "no quant_state, which tells the shape and the type; transformers and vLLM need it");
    }

    private static IEnumerable<LayoutContradiction> Bits(ParameterStorage parameter)
    {
        if (parameter.Scheme is { Code: QuantizationCode.Integer } scheme && scheme.Bits != parameter.Bits)
            yield return new(false, $"packed with {parameter.Bits} bits, the configuration says {scheme.Bits:0.##}");
    }

    private static IEnumerable<LayoutContradiction> Groups(ParameterStorage parameter, long inputs, long groups)
    {
        var expected = parameter.Scheme switch
        {
            { Sharing: QuantizationSharing.Group, GroupSize: { } size } => Units(inputs, size),
            { Sharing: QuantizationSharing.Channel } => 1,
            _ => (long?)null,
        };
        if (expected is { } count && count != groups)
            yield return new(false, $"{groups:N0} groups for {inputs:N0} inputs, the configuration's {(count == 1 ? "one scale per row" : $"group size of {parameter.Scheme!.GroupSize}")} gives {count:N0}");
    }

    /// <summary>A part that must be there with these dimensions; null stands for any size, a null list for any shape.</summary>
    private static IEnumerable<LayoutContradiction> Shape(ParameterStorage parameter, string part, ImmutableArray<long?>? expected)
    {
        if (parameter.Find(part) is not { } found)
            yield return new(true, $"no {part}");
        else if (expected is { } sizes && (sizes.Length != found.Dimensions.Length || sizes.Where((size, index) => size is { } known && known != found.Dimensions[index]).Any()))
            yield return new(false, $"{part} {Text(found.Dimensions)}, expected [{string.Join(", ", sizes.Select(size => size?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "…"))}]");
    }

    private static string Text(ImmutableArray<long> dimensions) => $"[{string.Join(", ", dimensions)}]";

    private static long Units(long amount, long unit) => unit == 0 ? 0 : amount / unit + (amount % unit == 0 ? 0 : 1);
}

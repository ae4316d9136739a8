using System.Text.Json;

namespace Plimsoll.Checkpoints.HuggingFace;

/// <summary>The configuration of compressed-tensors (llm-compressor): groups of modules, each with a format for weights and activations.</summary>
internal static class CompressedTensors
{
    public static void Read(QuantizationDraft draft)
    {
        var section = draft.Section;
        draft.CheckpointFormat = section.String("format");
        draft.KvCache = section.KvCache();
        foreach (var (_, group) in section.Object("config_groups")?.Objects() ?? [])
        {
            if (group.Object("weights") is { } weights)
                AddTargets(draft, group, Scheme(draft, group, weights));
        }
        foreach (var text in section.Strings("ignore") ?? [])
            draft.Skips.Add(NamePattern(draft, text));
    }

    private static QuantizationScheme Scheme(QuantizationDraft draft, ModelConfig group, ModelConfig weights)
    {
        var format = group.String("format") ?? draft.CheckpointFormat ?? "";
        var bits = weights.Bits("num_bits", 8);
        var isFloat = (weights.String("type") ?? "int") == "float";
        var (sharing, size) = Sharing(weights);
        var scheme = new QuantizationScheme
        {
            Method = draft.Method,
            Bits = bits,
            Code = isFloat ? QuantizationCode.Float : QuantizationCode.Integer,
            Sharing = sharing,
            GroupSize = size,
            Block = sharing == QuantizationSharing.Block ? Block(weights) : null,
            Symmetric = isFloat ? null : weights.Boolean("symmetric") ?? true,
            // "weight" (and true in old files) reorders before grouping and stores nothing; "group" stores an index per input channel.
            ActOrder = weights.Value("actorder") is { ValueKind: JsonValueKind.String } && weights.String("actorder") == "group",
            Activations = Activations(group),
            Variant = IsSparse(draft.Section) ? "2:4 sparse" : null,
        };
        if (isFloat && size is { } length)
            scheme = scheme with { ScaleFormat = ScaleFormat(weights, format, length) };
        return scheme;
    }

    private static string? ScaleFormat(ModelConfig weights, string format, int groupSize)
    {
        if (format.StartsWith("mxfp", StringComparison.Ordinal) || weights.String("scale_dtype") == "torch.uint8" || groupSize == 32)
            return "e8m0";
        return format.StartsWith("nvfp4", StringComparison.Ordinal) || groupSize == 16 ? "e4m3" : null;
    }

    private static (QuantizationSharing Sharing, int? Size) Sharing(ModelConfig weights) => weights.String("strategy") switch
    {
        "tensor" => (QuantizationSharing.Tensor, null),
        "channel" => (QuantizationSharing.Channel, null),
        "block" => (QuantizationSharing.Block, null),
        "group" or "tensor_group" => weights.Group("group_size", 128),
        null => weights.Has("group_size") ? weights.Group("group_size", -1) : (QuantizationSharing.Tensor, null),
        _ => (QuantizationSharing.Own, null),
    };

    /// <summary><c>[128, 128]</c>, in old files <c>"128x128"</c>.</summary>
    private static QuantizationBlock Block(ModelConfig weights)
    {
        if (weights.Value("block_structure") is { ValueKind: JsonValueKind.String } text)
        {
            var sides = text.GetString()!.Split('x');
            return sides.Length == 2 && int.TryParse(sides[0], out var rows) && int.TryParse(sides[1], out var columns) && rows > 0 && columns > 0
                ? new(rows, columns)
                : throw weights.Refuse("block_structure", "two sizes such as \"128x128\"");
        }
        return FloatQuantizations.Block(weights, "block_structure") ?? throw weights.Refuse("block_structure", "two sizes, as the strategy is \"block\"");
    }

    private static QuantizedActivations? Activations(ModelConfig group) => group.Object("input_activations") is not { } activations ? null : new(
        (int)activations.Bits("num_bits", 8),
        activations.String("type") == "float" ? QuantizationCode.Float : QuantizationCode.Integer,
        // true, false, or "local": partly while running (NVFP4).
        Dynamic: activations.Value("dynamic") is { ValueKind: JsonValueKind.True or JsonValueKind.String });

    private static bool IsSparse(ModelConfig section) =>
        section.Object("sparsity_config")?.String("format") is { } format && format != "dense";

    /// <summary>A class name such as <c>Linear</c> makes the scheme the default; everything else names modules.</summary>
    internal static void AddTargets(QuantizationDraft draft, ModelConfig group, QuantizationScheme scheme)
    {
        foreach (var target in group.Strings("targets") ?? ["Linear"])
        {
            if (target.StartsWith("re:", StringComparison.Ordinal))
                draft.Rules.Add(new(NamePattern(draft, target), scheme));
            else if (char.IsAsciiLetterUpper(target.FirstOrDefault()) && !target.Contains('.'))
                draft.Default ??= scheme;
            else
                draft.Named[target] = scheme;
        }
    }

    private static ModulePattern NamePattern(QuantizationDraft draft, string text) => text.StartsWith("re:", StringComparison.Ordinal)
        ? draft.Pattern(ModulePatternKind.Regex, text[3..])
        : draft.Pattern(ModulePatternKind.Exact, text);
}

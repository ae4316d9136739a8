using System.Text.Json;

namespace Plimsoll.Checkpoints.HuggingFace;

/// <summary>Methods that store integers and scales. What a file leaves out has the default of transformers' configuration class.</summary>
internal static class IntegerQuantizations
{
    /// <summary>llm_int8_threshold of transformers' BitsAndBytesConfig.</summary>
    private const double DefaultOutlierThreshold = 6;

    public static void Read(QuantizationDraft draft)
    {
        switch (draft.Method)
        {
            case QuantizationMethod.Gptq:
                ReadGptq(draft);
                break;
            case QuantizationMethod.Awq:
                ReadAwq(draft);
                break;
            case QuantizationMethod.AutoRound:
                ReadAutoRound(draft);
                break;
            case QuantizationMethod.Hqq:
                ReadHqq(draft);
                break;
            case QuantizationMethod.TorchAo:
                ReadTorchAo(draft);
                break;
            case QuantizationMethod.Quanto or QuantizationMethod.Eetq:
                ReadByWord(draft);
                break;
            case QuantizationMethod.Mlx:
                ReadMlx(draft);
                break;
        }
    }

    public static void ReadBitsAndBytes(QuantizationDraft draft)
    {
        var section = draft.Section;
        if (section.Boolean("load_in_4bit", "_load_in_4bit") == true)
        {
            var type = section.String("bnb_4bit_quant_type") ?? "fp4";
            draft.Default = new()
            {
                Method = draft.Method,
                Bits = 4,
                Code = type switch
                {
                    "nf4" => QuantizationCode.NormalFloat,
                    "fp4" => QuantizationCode.Float,
                    _ => throw section.Refuse("bnb_4bit_quant_type", "nf4 or fp4"),
                },
                Sharing = QuantizationSharing.Group,
                GroupSize = 64,
                DoubleQuantized = section.Boolean("bnb_4bit_use_double_quant") ?? false,
            };
        }
        else if (section.Boolean("load_in_8bit", "_load_in_8bit") == true)
        {
            draft.Default = Rows(draft, 8, symmetric: null) with { OutlierThreshold = section.Number("llm_int8_threshold") ?? DefaultOutlierThreshold };
        }
        draft.SkipListed(ModulePatternKind.Module, "llm_int8_skip_modules", "lm_head");
    }

    private static void ReadGptq(QuantizationDraft draft)
    {
        var section = draft.Section;
        var fallback = Affine(draft, section);
        draft.Default = fallback;
        draft.CheckpointFormat = section.String("checkpoint_format") ?? (section.Boolean("is_marlin_format") == true ? "marlin" : "gptq");
        if (section.Boolean("lm_head") != true)
            draft.Skips.Add(draft.Pattern(ModulePatternKind.Module, "lm_head"));
        draft.SkipListed(ModulePatternKind.Module, "modules_to_not_convert");
        if (section.Value("modules_in_block_to_quantize") is { ValueKind: JsonValueKind.Array } blocks)
            AddNames(draft, blocks);
        if (section.Value("dynamic") is { ValueKind: JsonValueKind.Object })
        {
            foreach (var rule in section.Object("dynamic")!.Root.EnumerateObject())
            {
                var scheme = rule.Name.StartsWith("-:", StringComparison.Ordinal) ? null : Overridden(draft, fallback, section.Object("dynamic")!.Object(rule.Name));
                var expression = rule.Name.StartsWith("-:", StringComparison.Ordinal) || rule.Name.StartsWith("+:", StringComparison.Ordinal) ? rule.Name[2..] : rule.Name;
                draft.Rules.Add(new(draft.Pattern(ModulePatternKind.Regex, expression), scheme));
            }
        }
    }

    /// <summary>GPTQ lists module names per block as a list of lists, some writers as one list.</summary>
    private static void AddNames(QuantizationDraft draft, JsonElement list)
    {
        foreach (var entry in list.EnumerateArray())
        {
            if (entry.ValueKind == JsonValueKind.Array)
                AddNames(draft, entry);
            else if (entry.ValueKind == JsonValueKind.String)
                draft.Only.Add(draft.Pattern(ModulePatternKind.Module, entry.GetString()!));
        }
    }

    private static void ReadAwq(QuantizationDraft draft)
    {
        var section = draft.Section;
        var version = (section.String("version") ?? "gemm").ToLowerInvariant();
        var (sharing, size) = section.Has("q_group_size") ? section.Group("q_group_size", 128) : section.Group("group_size", 128);
        draft.CheckpointFormat = version;
        draft.Default = new()
        {
            Method = draft.Method,
            Bits = section.Bits(section.Has("w_bit") ? "w_bit" : "bits", 4),
            Code = QuantizationCode.Integer,
            Sharing = sharing,
            GroupSize = size,
            Symmetric = !(section.Boolean("zero_point") ?? true),
            Variant = version,
        };
        draft.Skips.Add(draft.Pattern(ModulePatternKind.Module, "lm_head"));
        draft.SkipListed(ModulePatternKind.Substring, "modules_to_not_convert");
    }

    private static void ReadAutoRound(QuantizationDraft draft)
    {
        var section = draft.Section;
        draft.CheckpointFormat = section.String("packing_format", "backend");
        draft.Default = section.String("data_type") switch
        {
            null or "int" or "int_sym" or "int_asym_dq" or "int_asym" => Affine(draft, section),
            "mx_fp" or "mx_fp4" or "mxfp4" or "mx_fp8" => FloatQuantizations.Mx(draft.Method, (int)section.Bits("bits", 4)),
            "nv_fp" or "nv_fp4" or "nvfp4" => FloatQuantizations.NvFp4(draft.Method),
            "fp" or "fp8" or "fp8_sym" => FloatQuantizations.Fp8(draft.Method, section.Group("group_size", -1).Sharing),
            _ => null,
        };
        if (draft.Default is { Code: QuantizationCode.Integer } fallback && section.Value("extra_config") is { ValueKind: JsonValueKind.Object })
        {
            foreach (var (module, values) in section.Object("extra_config")!.Objects())
                draft.Named[module] = values.Integer("bits") is >= 16 ? null : Overridden(draft, fallback, values);
        }
        draft.Skips.Add(draft.Pattern(ModulePatternKind.Module, "lm_head"));
        draft.SkipListed(ModulePatternKind.Module, "modules_to_not_convert");
        if (section.Value("block_name_to_quantize") is { ValueKind: JsonValueKind.String })
        {
            foreach (var block in section.String("block_name_to_quantize")!.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
                draft.Only.Add(draft.Pattern(ModulePatternKind.Module, block));
        }
    }

    private static void ReadHqq(QuantizationDraft draft)
    {
        var section = draft.Section;
        var config = section.Object("quant_config");
        var weights = config?.Object("weight_quant_params") ?? (section.Has("nbits") ? section : null);
        if (weights is not null)
            draft.Default = Hqq(draft, weights);
        else
        {
            // A configuration per layer name, with no default for the others: {"self_attn.q_proj": {"weight_quant_params": {…}}}.
            foreach (var (name, layer) in config?.Objects() ?? [])
            {
                if (layer.Object("weight_quant_params") is { } own)
                    draft.Rules.Add(new(draft.Pattern(ModulePatternKind.Module, name), Hqq(draft, own)));
            }
        }
        draft.SkipListed(ModulePatternKind.Module, "skip_modules", "lm_head");
    }

    private static QuantizationScheme Hqq(QuantizationDraft draft, ModelConfig weights)
    {
        var (sharing, size) = weights.Group("group_size", 64);
        return new() { Method = draft.Method, Bits = weights.Bits("nbits", 4), Code = QuantizationCode.Integer, Sharing = sharing, GroupSize = size, Symmetric = false };
    }

    private static void ReadTorchAo(QuantizationDraft draft)
    {
        var section = draft.Section;
        if (section.Value("quant_type") is { ValueKind: JsonValueKind.String })
            draft.Default = TorchAo(draft, section.String("quant_type")!, section.Object("quant_type_kwargs"));
        else if (section.Object("quant_type")?.Object("default") is { } configuration && configuration.String("_type") is { } type)
            draft.Default = TorchAo(draft, type, configuration.Object("_data"));
        if (section.Boolean("include_input_output_embeddings") != true)
            draft.SkipListed(ModulePatternKind.Module, "modules_to_not_convert", "lm_head");
        else
            draft.SkipListed(ModulePatternKind.Module, "modules_to_not_convert");
    }

    /// <summary>The old function names and the newer class names. Null: a configuration whose storage is not known here.</summary>
    private static QuantizationScheme? TorchAo(QuantizationDraft draft, string type, ModelConfig? data)
    {
        var activations = new QuantizedActivations(8, QuantizationCode.Integer, Dynamic: true);
        var group = data is null ? (QuantizationSharing.Group, 128) : data.Group("group_size", 128);
        return type switch
        {
            "int4_weight_only" or "Int4WeightOnlyConfig" => Grouped(4, group, symmetric: false, null),
            "int8_weight_only" or "Int8WeightOnlyConfig" => Grouped(8, data?.Group("group_size", -1) ?? (QuantizationSharing.Channel, null), symmetric: true, null),
            "int8_dynamic_activation_int8_weight" or "Int8DynamicActivationInt8WeightConfig" => Grouped(8, (QuantizationSharing.Channel, null), symmetric: true, activations),
            "int8_dynamic_activation_int4_weight" or "Int8DynamicActivationInt4WeightConfig" =>
                Grouped(4, data?.Group("group_size", 32) ?? (QuantizationSharing.Group, 32), symmetric: true, activations),
            "float8_weight_only" or "Float8WeightOnlyConfig" => FloatQuantizations.Fp8(draft.Method, QuantizationSharing.Channel) with { Variant = type },
            "float8_dynamic_activation_float8_weight" or "Float8DynamicActivationFloat8WeightConfig" => FloatQuantizations.Fp8(draft.Method, QuantizationSharing.Channel) with
            {
                Variant = type,
                Activations = new(8, QuantizationCode.Float, Dynamic: true),
            },
            "NVFP4WeightOnlyConfig" or "NVFP4DynamicActivationNVFP4WeightConfig" or "NVFP4InferenceConfig" => FloatQuantizations.NvFp4(draft.Method) with { Variant = type },
            _ => null,
        };

        QuantizationScheme Grouped(int bits, (QuantizationSharing Sharing, int? Size) group, bool symmetric, QuantizedActivations? activations) => new()
        {
            Method = draft.Method,
            Bits = bits,
            Code = QuantizationCode.Integer,
            Sharing = group.Sharing,
            GroupSize = group.Size,
            Symmetric = symmetric,
            Activations = activations,
            Variant = type,
        };
    }

    private static void ReadByWord(QuantizationDraft draft)
    {
        var section = draft.Section;
        // optimum-quanto groups int4 and int2 by 128 and keeps a scale per row for 8 bits.
        draft.Default = (section.String("weights") ?? "int8") switch
        {
            "int8" => Rows(draft, 8, symmetric: true),
            "int4" => Rows(draft, 4, symmetric: false) with { Sharing = QuantizationSharing.Group, GroupSize = 128 },
            "int2" => Rows(draft, 2, symmetric: false) with { Sharing = QuantizationSharing.Group, GroupSize = 128 },
            "float8" => FloatQuantizations.Fp8(draft.Method, QuantizationSharing.Channel),
            _ => null,
        };
        draft.SkipListed(ModulePatternKind.Module, "modules_to_not_convert", "lm_head");
    }

    private static void ReadMlx(QuantizationDraft draft)
    {
        var section = draft.Section;
        draft.Default = Mlx(draft, section);
        foreach (var member in section.Root.EnumerateObject())
        {
            if (member.Value.ValueKind == JsonValueKind.False)
                draft.Named[member.Name] = null;
        }
        foreach (var (module, values) in section.Objects())
        {
            if (values.Has("bits"))
                draft.Named[module] = Mlx(draft, values);
        }
    }

    private static QuantizationScheme? Mlx(QuantizationDraft draft, ModelConfig values)
    {
        var (sharing, size) = values.Group("group_size", 64);
        return (values.String("mode") ?? "affine") switch
        {
            "affine" => new() { Method = draft.Method, Bits = values.Bits("bits"), Code = QuantizationCode.Integer, Sharing = sharing, GroupSize = size, Symmetric = false },
            "mxfp4" => FloatQuantizations.Mx(draft.Method, 4),
            "mxfp8" => FloatQuantizations.Mx(draft.Method, 8),
            "nvfp4" => FloatQuantizations.NvFp4(draft.Method),
            _ => null,
        };
    }

    /// <summary>The fields that GPTQ and AutoRound share.</summary>
    private static QuantizationScheme Affine(QuantizationDraft draft, ModelConfig section)
    {
        var (sharing, size) = section.Group("group_size", 128);
        return new()
        {
            Method = draft.Method,
            Bits = section.Bits("bits"),
            Code = QuantizationCode.Integer,
            Sharing = sharing,
            GroupSize = size,
            Symmetric = section.Boolean("sym") ?? true,
            ActOrder = section.Boolean("desc_act") ?? false,
        };
    }

    /// <summary>The fields that a rule for some modules gives, the others as the default has them.</summary>
    private static QuantizationScheme Overridden(QuantizationDraft draft, QuantizationScheme fallback, ModelConfig? values)
    {
        if (values is null)
            return fallback;
        var (sharing, size) = values.Has("group_size") ? values.Group("group_size", -1) : (fallback.Sharing, fallback.GroupSize);
        return fallback with
        {
            Bits = values.Bits("bits", fallback.Bits),
            Sharing = sharing,
            GroupSize = size,
            Symmetric = values.Boolean("sym") ?? fallback.Symmetric,
            ActOrder = values.Boolean("desc_act") ?? fallback.ActOrder,
        };
    }

    private static QuantizationScheme Rows(QuantizationDraft draft, int bits, bool? symmetric) => new()
    {
        Method = draft.Method,
        Bits = bits,
        Code = QuantizationCode.Integer,
        Sharing = QuantizationSharing.Channel,
        Symmetric = symmetric,
    };
}

namespace Plimsoll.Checkpoints.HuggingFace;

/// <summary>Methods that store small floating-point numbers: FP8, MXFP4, NVFP4.</summary>
internal static class FloatQuantizations
{
    private static readonly QuantizedActivations DynamicFp8 = new(8, QuantizationCode.Float, Dynamic: true);

    public static QuantizationScheme Fp8(QuantizationMethod method, QuantizationSharing sharing) =>
        new() { Method = method, Bits = 8, Code = QuantizationCode.Float, Sharing = sharing };

    /// <summary>OCP MX: 32 codes share a power of two.</summary>
    public static QuantizationScheme Mx(QuantizationMethod method, int bits) =>
        new() { Method = method, Bits = bits, Code = QuantizationCode.Float, Sharing = QuantizationSharing.Group, GroupSize = 32, ScaleFormat = "e8m0" };

    /// <summary>NVIDIA: 16 FP4 codes share an FP8 scale, the tensor has an FP32 scale.</summary>
    public static QuantizationScheme NvFp4(QuantizationMethod method) =>
        new() { Method = method, Bits = 4, Code = QuantizationCode.Float, Sharing = QuantizationSharing.Group, GroupSize = 16, ScaleFormat = "e4m3" };

    public static void Read(QuantizationDraft draft)
    {
        switch (draft.Method)
        {
            case QuantizationMethod.FbgemmFp8:
                draft.Default = Fp8(draft.Method, QuantizationSharing.Channel) with { Activations = DynamicFp8 };
                draft.SkipListed(ModulePatternKind.Module, "modules_to_not_convert", "lm_head");
                break;
            case QuantizationMethod.Mxfp4:
                draft.Default = Mx(draft.Method, 4);
                // transformers converts the expert tensors of gpt-oss and nothing else.
                draft.Only.Add(draft.Pattern(ModulePatternKind.Module, "experts"));
                draft.SkipListed(ModulePatternKind.Module, "modules_to_not_convert");
                break;
            case QuantizationMethod.FpQuant:
                draft.Default = (draft.Section.String("forward_dtype") ?? "nvfp4") switch
                {
                    "nvfp4" => NvFp4(draft.Method),
                    "mxfp4" => Mx(draft.Method, 4),
                    _ => null,
                };
                draft.SkipListed(ModulePatternKind.Module, "modules_to_not_convert", "lm_head");
                break;
            case QuantizationMethod.Quark:
                ReadQuark(draft);
                break;
        }
    }

    /// <summary>DeepSeek's layout and AutoFP8's; two newer kinds of file keep experts in FP4 under the same name.</summary>
    public static void ReadFp8(QuantizationDraft draft, ModelConfig config)
    {
        var section = draft.Section;
        var block = Block(section, "weight_block_size");
        draft.Default = Fp8(draft.Method, block is null ? QuantizationSharing.Tensor : QuantizationSharing.Block) with
        {
            Block = block,
            Activations = new(8, QuantizationCode.Float, section.String("activation_scheme") != "static"),
        };
        draft.CheckpointFormat = section.String("fmt");
        draft.KvCache = section.KvCache();
        draft.SkipListed(ModulePatternKind.Module, section.Has("ignored_layers") ? "ignored_layers" : "modules_to_not_convert", "lm_head");
        // NVIDIA's DeepSeek-V4: the listed experts are NVFP4 and "ignore" tells what stays FP8, not what stays unquantized.
        if (section.Object("quantized_layers") is { } layers)
            ReadQuantizedLayers(draft, layers);
        var experts =
            section.String("moe_quant_algo") is { } algorithm ? ModelOpt(algorithm, section)
            // DeepSeek-V4: routed experts in packed E2M1 with E8M0 scales.
            : config.String("expert_dtype") == "fp4" ? Mx(QuantizationMethod.Mxfp4, 4)
            : null;
        if (experts is not null)
            draft.Rules.Add(new(draft.Pattern(ModulePatternKind.Module, "experts"), experts));
    }

    public static void ReadModelOpt(QuantizationDraft draft)
    {
        var section = draft.Section.Object("quantization") ?? draft.Section;
        draft.KvCache = section.KvCache();
        var algorithm = section.String("quant_algo") ?? "";
        draft.CheckpointFormat = algorithm.Length == 0 ? null : algorithm;
        draft.Default = ModelOpt(algorithm, section);
        if (section.Object("quantized_layers") is { } layers)
            ReadQuantizedLayers(draft, layers);
        foreach (var text in section.Strings("exclude_modules", "ignore") ?? [])
            draft.Skips.Add(draft.Pattern(ModulePatternKind.Wildcard, text));
    }

    /// <summary>Two sizes, rows first; null when the key is not given.</summary>
    public static QuantizationBlock? Block(ModelConfig section, string key) => section.Integers(key) switch
    {
        null => null,
        [var rows and > 0 and <= int.MaxValue, var columns and > 0 and <= int.MaxValue] => new((int)rows, (int)columns),
        _ => throw section.Refuse(key, "two positive sizes such as [128, 128]"),
    };

    private static void ReadQuantizedLayers(QuantizationDraft draft, ModelConfig layers)
    {
        foreach (var (module, layer) in layers.Objects())
        {
            if (ModelOpt(layer.RequireString("quant_algo"), layer) is { } scheme)
                draft.Named[module] = scheme;
        }
    }

    /// <summary>The names of ModelOpt's algorithms (<c>modelopt/torch/export</c>, vLLM's <c>QUANT_ALGOS</c>); null for mixed precision and for unknown ones.</summary>
    private static QuantizationScheme? ModelOpt(string algorithm, ModelConfig section)
    {
        const QuantizationMethod method = QuantizationMethod.ModelOpt;
        var integers = new QuantizationScheme { Method = method, Bits = 4, Code = QuantizationCode.Integer, Sharing = QuantizationSharing.Channel, Symmetric = true };
        switch (algorithm.ToUpperInvariant())
        {
            case "FP8":
                return Fp8(method, QuantizationSharing.Tensor) with { Activations = new(8, QuantizationCode.Float, Dynamic: false) };
            case "FP8_PER_CHANNEL_PER_TOKEN":
                return Fp8(method, QuantizationSharing.Channel) with { Activations = DynamicFp8 };
            case "FP8_PB_WO":
                return Fp8(method, QuantizationSharing.Block) with { Block = new(128, 128) };
            case "NVFP4" or "NVFP4_AWQ" or "NVFP4_SVD":
                return NvFp4(method) with { Activations = new(4, QuantizationCode.Float, Dynamic: false) };
            case "W4A16_NVFP4":
                return NvFp4(method);
            case "W4A8_NVFP4_FP8":
                return NvFp4(method) with { Activations = DynamicFp8 };
            case "MXFP4":
                return Mx(method, 4);
            case "W4A8_MXFP4_FP8":
                return Mx(method, 4) with { Activations = DynamicFp8 };
            case "MXFP8":
                return Mx(method, 8);
            case "W4A16" or "W4A16_AWQ" or "INT4_AWQ":
                return Grouped(integers);
            case "W4A8_AWQ":
                return Grouped(integers) with { Activations = DynamicFp8 };
            case "W8A16":
                return integers with { Bits = 8 };
            case "INT8_SQ" or "W8A8_SQ_PER_CHANNEL":
                return integers with { Bits = 8, Activations = new(8, QuantizationCode.Integer, Dynamic: false) };
            default:
                return null;
        }

        QuantizationScheme Grouped(QuantizationScheme scheme)
        {
            var (sharing, size) = section.Group("group_size", 128);
            return scheme with { Sharing = sharing, GroupSize = size };
        }
    }

    /// <summary>AMD Quark: a format for all linear layers, others by wildcard.</summary>
    private static void ReadQuark(QuantizationDraft draft)
    {
        var section = draft.Section;
        if (section.Object("global_quant_config") is { } everywhere)
            draft.Default = Quark(everywhere);
        foreach (var (pattern, layer) in section.Object("layer_quant_config")?.Objects() ?? [])
            draft.Rules.Add(new(draft.Pattern(ModulePatternKind.Wildcard, pattern), Quark(layer)));
        foreach (var text in section.Strings("exclude", "exclude_layers") ?? [])
            draft.Skips.Add(draft.Pattern(text.StartsWith("re:", StringComparison.Ordinal) ? ModulePatternKind.Regex : ModulePatternKind.Wildcard, text.StartsWith("re:", StringComparison.Ordinal) ? text[3..] : text));
    }

    private static QuantizationScheme? Quark(ModelConfig layer)
    {
        const QuantizationMethod method = QuantizationMethod.Quark;
        // A list records stages of one conversion (FP8, then INT4); what is stored is not told apart here.
        if (layer.Value("weight") is not { ValueKind: System.Text.Json.JsonValueKind.Object } || layer.Object("weight") is not { } weights)
            return null;
        var (sharing, size) = weights.String("qscheme") switch
        {
            "per_tensor" => (QuantizationSharing.Tensor, null),
            "per_channel" => (QuantizationSharing.Channel, null),
            "per_group" => weights.Group("group_size", 32),
            _ => (QuantizationSharing.Own, (int?)null),
        };
        var integer = new QuantizationScheme
        {
            Method = method,
            Bits = 8,
            Code = QuantizationCode.Integer,
            Sharing = sharing,
            GroupSize = size,
            Symmetric = weights.Boolean("symmetric"),
        };
        return weights.String("dtype") switch
        {
            "fp8_e4m3" or "fp8_e5m2" => Fp8(method, sharing) with { GroupSize = size },
            "fp4" or "fp4_e2m1" => Mx(method, 4) with { GroupSize = size ?? 32 },
            "int8" or "uint8" => integer,
            "int4" or "uint4" => integer with { Bits = 4 },
            _ => null,
        };
    }
}

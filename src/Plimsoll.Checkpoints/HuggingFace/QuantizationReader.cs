using System.Text.Json;

namespace Plimsoll.Checkpoints.HuggingFace;

/// <summary>Finds the quantization section of a configuration and hands it to the reader of its method.</summary>
internal static class QuantizationReader
{
    public static QuantizationConfig? Find(ModelConfig config)
    {
        var section = config.Object("quantization_config") ?? config.Text.Object("quantization_config")
            ?? config.Object("compression_config") ?? config.Text.Object("compression_config");
        if (section is not null)
            return Read(config, section);
        // mlx-lm before 2025 wrote only this key.
        return config.Value("quantization") is { ValueKind: JsonValueKind.Object } && config.Object("quantization") is { } mlx && mlx.Has("bits") && mlx.Has("group_size")
            ? Read(config, mlx)
            : null;
    }

    public static QuantizationConfig? FindInOwnFile(ModelConfig file)
    {
        if (file.Object("quantization") is { } modelOpt)
        {
            if (modelOpt.String("quant_algo") is not { } algorithm)
                return null;
            var draft = new QuantizationDraft(modelOpt, QuantizationMethod.ModelOpt, algorithm) { Tool = Producer(file) };
            FloatQuantizations.ReadModelOpt(draft);
            return new(draft);
        }
        if (file.Has("w_bit"))
            return ReadAs(file, file, QuantizationMethod.Awq, "awq");
        if (file.Has("quant_method") || file.Has("config_groups"))
            return Read(file, file);
        return file.Has("bits") ? ReadAs(file, file, QuantizationMethod.Gptq, "gptq") : null;
    }

    private static QuantizationConfig? Read(ModelConfig config, ModelConfig section)
    {
        if (!section.Root.EnumerateObject().Any())
            return null;
        if (section.String("quant_method") is { } name)
            return ReadAs(config, section, QuantizationMethods.Find(name), name);
        var method =
            section.Has("load_in_4bit") || section.Has("load_in_8bit") ? QuantizationMethod.BitsAndBytes
            : section.Has("quant_algo") ? QuantizationMethod.ModelOpt
            : section.Has("config_groups") ? QuantizationMethod.CompressedTensors
            : section.Has("bits") && section.Has("group_size") && config.Has("quantization") ? QuantizationMethod.Mlx
            : QuantizationMethod.Unknown;
        return ReadAs(config, section, method, method == QuantizationMethod.Unknown ? "no quant_method" : QuantizationMethods.Word(method));
    }

    private static QuantizationConfig ReadAs(ModelConfig config, ModelConfig section, QuantizationMethod method, string name)
    {
        var draft = new QuantizationDraft(section, method, name) { Tool = Producer(section) };
        switch (method)
        {
            case QuantizationMethod.Unknown:
                break;
            case QuantizationMethod.BitsAndBytes:
                IntegerQuantizations.ReadBitsAndBytes(draft);
                break;
            case QuantizationMethod.CompressedTensors:
                CompressedTensors.Read(draft);
                break;
            case QuantizationMethod.Fp8:
                FloatQuantizations.ReadFp8(draft, config);
                break;
            case QuantizationMethod.ModelOpt:
                FloatQuantizations.ReadModelOpt(draft);
                break;
            case QuantizationMethod.FbgemmFp8 or QuantizationMethod.Mxfp4 or QuantizationMethod.FpQuant or QuantizationMethod.Quark:
                FloatQuantizations.Read(draft);
                break;
            case QuantizationMethod.Aqlm or QuantizationMethod.Vptq or QuantizationMethod.Exl2 or QuantizationMethod.Exl3
                or QuantizationMethod.Higgs or QuantizationMethod.Spqr or QuantizationMethod.BitNet:
                CodebookQuantizations.Read(draft);
                break;
            default:
                IntegerQuantizations.Read(draft);
                break;
        }
        return new(draft);
    }

    private static string? Producer(ModelConfig section)
    {
        if (section.Value("producer") is { ValueKind: JsonValueKind.Object } && section.Object("producer") is { } producer)
            return $"{producer.String("name")} {producer.String("version")}".Trim();
        // GPTQModel: {"meta": {"quantizer": ["gptqmodel:1.4.0"]}}, in some versions a plain string.
        return section.Value("meta") is { ValueKind: JsonValueKind.Object } && section.Object("meta")!.Strings("quantizer") is [var first, ..] ? first : null;
    }
}

/// <summary>Values that several methods share.</summary>
internal static class QuantizationValues
{
    /// <summary>Bits of one code; fractions are averages of codebook methods.</summary>
    /// <exception cref="CheckpointFormatException">Not between 1 and 16.</exception>
    public static double Bits(this ModelConfig section, string key, double? fallback = null)
    {
        var bits = section.Number(key) ?? fallback ?? section.RequireInteger(key);
        return bits is >= 1 and <= 16 ? bits : throw section.Refuse(key, "a number of bits from 1 to 16");
    }

    /// <summary>Group size as GPTQ counts: −1 is one group per row; 0, as AutoRound counts, one per tensor.</summary>
    /// <exception cref="CheckpointFormatException">Below −1, or so large that it is no group size.</exception>
    public static (QuantizationSharing Sharing, int? Size) Group(this ModelConfig section, string key, long fallback) => (section.Integer(key) ?? fallback) switch
    {
        -1 => (QuantizationSharing.Channel, null),
        0 => (QuantizationSharing.Tensor, null),
        > 0 and <= int.MaxValue and var size => (QuantizationSharing.Group, (int)size),
        _ => throw section.Refuse(key, "a group size, or −1 for whole rows"),
    };

    /// <summary>The KV-cache entry in all its forms: a word, or the description of a format.</summary>
    public static string? KvCache(this ModelConfig section)
    {
        foreach (var key in (ReadOnlySpan<string>)["kv_cache_quant_algo", "kv_cache_scheme"])
        {
            switch (section.Value(key))
            {
                case { ValueKind: JsonValueKind.String }:
                    return section.String(key)!.ToLowerInvariant();
                case { ValueKind: JsonValueKind.Object } when section.Object(key) is { } scheme && scheme.Integer("num_bits") is { } bits:
                    return $"{(scheme.String("type") == "float" ? "fp" : "int")}{bits}";
            }
        }
        return null;
    }
}

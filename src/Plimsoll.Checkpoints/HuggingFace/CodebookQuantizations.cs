using System.Globalization;

namespace Plimsoll.Checkpoints.HuggingFace;

/// <summary>Methods that store indices into learnt vectors, trellises or three values. Bits are averages, without codebooks and scales.</summary>
internal static class CodebookQuantizations
{
    public static void Read(QuantizationDraft draft)
    {
        var section = draft.Section;
        switch (draft.Method)
        {
            case QuantizationMethod.Aqlm:
                var vector = (section.Integer("in_group_size") ?? 8) * (section.Integer("out_group_size") ?? 1);
                if (vector <= 0)
                    throw section.Refuse("in_group_size", "a positive size");
                var indices = (section.Integer("num_codebooks") ?? 1) * (section.Integer("nbits_per_codebook") ?? 16);
                draft.Default = Codes(draft, (double)indices / vector);
                draft.SkipListed(ModulePatternKind.Module, "linear_weights_not_to_quantize", "lm_head");
                break;
            case QuantizationMethod.Vptq:
                ReadVptq(draft);
                break;
            case QuantizationMethod.Exl2 or QuantizationMethod.Exl3:
                draft.Default = Codes(draft, section.Bits("bits"));
                draft.CheckpointFormat = section.String("version");
                if (section.Number("head_bits") is { } head)
                    draft.Rules.Add(new(draft.Pattern(ModulePatternKind.Module, "lm_head"), head >= 16 ? null : Codes(draft, head)));
                break;
            case QuantizationMethod.Higgs:
                var (sharing, size) = section.Group("group_size", 256);
                draft.Default = Codes(draft, section.Bits("bits", 4)) with { Sharing = sharing, GroupSize = size };
                draft.SkipListed(ModulePatternKind.Module, "modules_to_not_convert", "lm_head");
                break;
            case QuantizationMethod.Spqr:
                var tile = new QuantizationBlock((int)Math.Clamp(section.Integer("beta2") ?? 16, 1, 1024), (int)Math.Clamp(section.Integer("beta1") ?? 16, 1, 1024));
                draft.Default = Codes(draft, section.Bits("bits", 3)) with { Sharing = QuantizationSharing.Block, Block = tile };
                draft.SkipListed(ModulePatternKind.Module, "modules_to_not_convert", "lm_head");
                break;
            case QuantizationMethod.BitNet:
                // Four ternary weights per byte when packed ("offline"); "online" checkpoints keep plain weights.
                if (section.String("quantization_mode") != "online")
                {
                    draft.Default = new()
                    {
                        Method = draft.Method,
                        Bits = 2,
                        Code = QuantizationCode.Ternary,
                        Sharing = QuantizationSharing.Tensor,
                        Activations = new(8, QuantizationCode.Integer, Dynamic: true),
                    };
                }
                draft.CheckpointFormat = section.String("quantization_mode");
                draft.SkipListed(ModulePatternKind.Module, "modules_to_not_convert", "lm_head");
                break;
        }
    }

    private static void ReadVptq(QuantizationDraft draft)
    {
        foreach (var (module, layer) in draft.Section.Object("config_for_layers")?.Objects() ?? [])
            draft.Named[module] = Vptq(draft, layer);
        if (draft.Section.Object("shared_layer_config")?.Objects() is { } shared)
        {
            foreach (var (name, layer) in shared)
                draft.Rules.Add(new(draft.Pattern(ModulePatternKind.Module, name), Vptq(draft, layer)));
        }
        draft.SkipListed(ModulePatternKind.Module, "modules_to_not_convert");
    }

    /// <summary>Each list has an entry for outlier columns and one for the rest, −1 where there is none; the rest decides the average.</summary>
    private static QuantizationScheme? Vptq(QuantizationDraft draft, ModelConfig layer)
    {
        if (layer.Integers("vector_lens") is not [_, var length] || length <= 0 || layer.Integers("num_centroids") is not [_, var centroids] || centroids < 2)
            return null;
        var residual = layer.Integers("num_res_centroids") is [_, var more] && more >= 2 ? Math.Log2(more) : 0;
        return Codes(draft, (Math.Log2(centroids) + residual) / length);
    }

    private static QuantizationScheme Codes(QuantizationDraft draft, double bits) => bits is > 0 and <= 16
        ? new() { Method = draft.Method, Bits = bits, Code = QuantizationCode.Codebook, Sharing = QuantizationSharing.Own }
        : throw new CheckpointFormatException(draft.Path, null, $"{QuantizationMethods.Display(draft.Method)} settings that give 0 to 16 bits per weight", bits.ToString("0.##", CultureInfo.InvariantCulture));
}

using System.Globalization;

namespace Plimsoll.Planning.Weights.Stored;

/// <summary>A tensor name in a checkpoint, taken apart: the parameter it belongs to and what part of it is stored.</summary>
/// <param name="Parameter">The name of the parameter as the architecture knows it, without folders that wrap the language model; <c>*</c> for the expert number.</param>
/// <param name="Part">What a quantizer stored: <c>qweight</c>, <c>weight_scale</c>, <c>absmax</c>; empty for the parameter itself.</param>
internal readonly record struct StoredName(string Parameter, string Part)
{
    /// <summary>Folders that multimodal and wrapped checkpoints put before the same names.</summary>
    private static readonly string[] Wrappers = ["model", "language_model", "text_model", "base_model", "transformer", "backbone", "llm", "thinker"];

    /// <summary>Side tensors that replace <c>.weight</c>. Sources: the layouts of AutoGPTQ, AutoAWQ, bitsandbytes, compressed-tensors, ModelOpt, DeepSeek FP8, HQQ.</summary>
    private static readonly string[] WeightParts =
    [
        "qweight", "qzeros", "scales", "g_idx", "weight_packed", "weight_scale", "weight_scale_inv", "weight_scale_2", "weight_zero_point", "weight_shape",
        "weight_g_idx", "weight_global_scale", "input_scale", "input_zero_point", "input_global_scale", "SCB", "weight_format", "W_q", "scale", "zero",
        "_weight_qdata", "_weight_scale", "_weight_zero_point",
    ];

    /// <summary>Side tensors behind the whole name, as <c>weight.absmax</c> or, for fused experts, <c>gate_up_proj_blocks</c>.</summary>
    private static readonly string[] Endings = [".absmax", ".quant_map", ".nested_absmax", ".nested_quant_map", "_blocks", "_scales", "_scale_inv", "_weight_scale", "_weight_scale_2"];

    public static StoredName Of(string name)
    {
        var state = name.IndexOf(".quant_state.", StringComparison.Ordinal);
        if (state > 0)
            return new(Key(name[..state]), name[(state + ".quant_state.".Length)..]);
        foreach (var part in WeightParts)
        {
            if (name.EndsWith("." + part, StringComparison.Ordinal))
                return new(Key(name[..^part.Length] + "weight"), part);
        }
        foreach (var ending in Endings)
        {
            if (name.EndsWith(ending, StringComparison.Ordinal))
                return new(Key(name[..^ending.Length]), ending[1..]);
        }
        return new(Key(name), "");
    }

    /// <summary>The name without wrapping folders and with <c>*</c> for the number of an expert, so that two spellings of a parameter are equal.</summary>
    public static string Key(string name)
    {
        var parts = name.Split('.').AsSpan();
        while (parts.Length > 1 && Array.IndexOf(Wrappers, parts[0]) >= 0)
            parts = parts[1..];
        for (var at = 1; at < parts.Length; at++)
        {
            if (parts[at - 1] is "experts" or "mlp_experts" && int.TryParse(parts[at], NumberStyles.None, CultureInfo.InvariantCulture, out _))
                parts[at] = "*";
        }
        return string.Join('.', parts!);
    }
}

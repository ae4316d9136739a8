using System.Globalization;

namespace Plimsoll.Checkpoints.Layouts;

/// <summary>A tensor name in a checkpoint, taken apart: the parameter it belongs to and what part of it is stored.</summary>
/// <param name="Parameter">The name that the parameter would have unquantized: <c>model.layers.0.mlp.down_proj.weight</c>.</param>
/// <param name="Part">What a quantizer stored: <c>qweight</c>, <c>weight_scale</c>, <c>absmax</c>; empty for the parameter itself.</param>
public readonly record struct TensorName(string Parameter, string Part)
{
    /// <summary>Folders that multimodal and wrapped checkpoints put before the same names.</summary>
    private static readonly string[] Wrappers = ["model", "language_model", "text_model", "base_model", "transformer", "backbone", "llm", "thinker"];

    /// <summary>Tensors that replace <c>.weight</c> or lie beside it.</summary>
    /// <remarks>Sources: the layouts of AutoGPTQ, AutoAWQ, bitsandbytes, compressed-tensors, ModelOpt, DeepSeek FP8, HQQ, torchao, MLX, AQLM, EXL2 and EXL3.</remarks>
    private static readonly string[] WeightParts =
    [
        "qweight", "qzeros", "scales", "g_idx", "weight_packed", "weight_scale", "weight_scale_inv", "weight_scale_2", "weight_zero_point", "weight_shape",
        "weight_g_idx", "weight_global_scale", "input_scale", "input_zero_point", "input_global_scale", "SCB", "weight_format", "W_q", "scale", "zero",
        "_weight_qdata", "_weight_scale", "_weight_zero_point", "biases", "codes", "codebooks",
        "q_weight", "q_scale", "q_scale_max", "q_groups", "q_perm", "q_invperm", "trellis", "suh", "svh",
    ];

    /// <summary>Side tensors behind the whole name, as <c>weight.absmax</c> or, for fused experts, <c>gate_up_proj_blocks</c>.</summary>
    private static readonly string[] Endings = [".absmax", ".quant_map", ".nested_absmax", ".nested_quant_map", "_blocks", "_scales", "_scale_inv", "_weight_scale", "_weight_scale_2"];

    /// <summary>Takes a name apart by its spelling alone; whether the part is one depends on the tensors beside it.</summary>
    public static TensorName Of(string name)
    {
        var state = name.IndexOf(".quant_state.", StringComparison.Ordinal);
        if (state > 0)
            return new(name[..state], name[(state + ".quant_state.".Length)..]);
        // torchao flattens tensor subclasses as "layer.weight:qdata".
        if (name.LastIndexOf(':') is > 0 and var colon)
            return new(name[..colon], name[(colon + 1)..]);
        foreach (var part in WeightParts)
        {
            if (name.Length > part.Length && name.EndsWith(part, StringComparison.Ordinal) && name[^(part.Length + 1)] == '.')
                return new(name[..^part.Length] + "weight", part);
        }
        foreach (var ending in Endings)
        {
            if (name.EndsWith(ending, StringComparison.Ordinal))
                return new(name[..^ending.Length], ending[1..]);
        }
        return new(name, "");
    }

    /// <summary>The name without wrapping folders and with <c>*</c> for the number of an expert, so that two spellings of a parameter are equal.</summary>
    public static string Key(string name)
    {
        var parts = name.Split('.').AsSpan();
        while (parts.Length > 1 && Array.IndexOf(Wrappers, parts[0]) >= 0)
            parts = parts[1..];
        for (var at = 1; at < parts.Length; at++)
        {
            if (parts[at - 1] is "experts" or "mlp_experts" && IsNumber(parts[at]))
                parts[at] = "*";
        }
        return string.Join('.', parts!);
    }

    /// <summary>The name with <c>*</c> for every number, so that the same tensor of all layers and experts has one name.</summary>
    public static string Pattern(string name)
    {
        if (!name.AsSpan().ContainsAnyInRange('0', '9'))
            return name;
        var parts = name.Split('.');
        for (var at = 0; at < parts.Length; at++)
        {
            if (IsNumber(parts[at]))
                parts[at] = "*";
        }
        return string.Join('.', parts);
    }

    /// <summary>The module that the parameter belongs to, as configurations name it: <c>model.layers.0.mlp.down_proj</c>.</summary>
    public string Module => Parameter.EndsWith(".weight", StringComparison.Ordinal) ? Parameter[..^".weight".Length] : Parameter;

    private static bool IsNumber(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _);
}

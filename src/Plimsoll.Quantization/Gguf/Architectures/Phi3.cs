using System.Collections.Immutable;
using Plimsoll.Checkpoints;

namespace Plimsoll.Quantization.Gguf.Architectures;

/// <summary>Phi-3, 3.5 and 4: fused projections stay fused; the factors of a long context are two tensors.</summary>
internal sealed class Phi3 : GgufArchitecture
{
    public override string Name => "phi3";

    public override ImmutableArray<string> ModelTypes => ["phi3"];

    public override void WriteKeys(GgufModel model, ArchitectureKeys keys)
    {
        DecoderKeys.Sizes(model, keys);
        keys.Integer("rope.scaling.original_context_length", OriginalContext(model));
        keys.Number("attention.layer_norm_rms_epsilon", model.RequireNumber("rms_norm_eps"));
        keys.Integer("rope.dimension_count", RotatedElements(model));
        keys.Number("rope.freq_base", model.Rope.Theta ?? 10000);
        // 0 tells Phi-4 from the others.
        keys.Integer("attention.sliding_window", model.Integer("sliding_window") ?? 0);
        if (model.Rope.Numbers("long_factor") is not null)
            keys.Number("rope.scaling.attn_factor", AttentionFactor(model));
    }

    public override IEnumerable<(string Name, ImmutableArray<float> Values)> ComputedTensors(GgufModel model)
    {
        if (model.Rope.Numbers("long_factor") is not { } factors)
            yield break;
        var shorter = model.Rope.Numbers("short_factor") ?? throw model.Missing("rope_scaling.short_factor");
        foreach (var (name, values) in new[] { ("long", factors), ("short", shorter) })
        {
            if (values.Length != RotatedElements(model) / 2)
                throw new CheckpointFormatException(model.ConfigPath, null, $"{RotatedElements(model) / 2} numbers in {name}_factor, one for each rotated pair", $"{values.Length}");
            yield return ($"rope_factors_{name}.weight", values);
        }
    }

    private static int RotatedElements(GgufModel model) => (int)((model.Rope.PartialFactor ?? 1) * model.Hidden) / model.Heads;

    private static uint OriginalContext(GgufModel model) => model.Rope.OriginalContext ?? model.RequireInteger("max_position_embeddings");

    /// <summary>How much the scores grow with the context. Source: transformers, modeling_rope_utils.py (longrope, yarn).</summary>
    private static float AttentionFactor(GgufModel model)
    {
        var original = OriginalContext(model);
        var scale = model.RequireInteger("max_position_embeddings") / (double)original;
        if (scale <= 1)
            return 1;
        return model.Rope.Type switch
        {
            "su" or "longrope" => (float)Math.Sqrt(1 + Math.Log(scale) / Math.Log(original)),
            "yarn" => (float)(0.1 * Math.Log(scale) + 1),
            var other => throw new CheckpointFormatException(model.ConfigPath, null, "longrope, su or yarn as the type of factors", $"'{other}'"),
        };
    }
}

using System.Collections.Immutable;
using Plimsoll.Models;
using Plimsoll.Numerics;

namespace Plimsoll.Planning.Weights.Gguf;

/// <summary>One tensor of a GGUF file before it gets a type.</summary>
/// <param name="Name">The name in the file: <c>blk.3.ffn_down.weight</c>.</param>
/// <param name="Source">The tensor of the model that it holds, or the part of it.</param>
/// <param name="RowLength">ne[0]: the dimension that blocks run along.</param>
/// <param name="Rows">All other dimensions multiplied, experts included.</param>
/// <param name="Rank">Dimensions in the file without trailing ones; the experts of a layer are stacked into one more.</param>
/// <param name="Matrices">ne[2]: matrices in the stack, 1 for a plain matrix.</param>
public sealed record GgufTensor(string Name, TensorShape Source, long RowLength, long Rows, int Rank, long Matrices)
{
    private static readonly string[] F32Parts =
    [
        "ffn_gate_inp.weight", "ffn_gate_inp_shexp.weight", "ssm_conv1d", "shortconv.conv.weight", "time_mix_first.weight", "time_mix_w1.weight", "time_mix_w2.weight",
        "time_mix_decay_w1.weight", "time_mix_decay_w2.weight", "time_mix_lerp_fused.weight", "altup_correct_coef", "altup_predict_coef", "indexer.proj.weight",
        "position_embd", "token_types",
    ];

    private static readonly string[] KeptParts =
    [
        "ffn_gate_inp.weight", "ffn_gate_tid2eid.weight", "altup", "laurel", "per_layer_model_proj", "ssm_conv1d", "shortconv.conv.weight",
        "indexer.k_proj.weight", "indexer.q_proj.weight",
        "time_mix_first.weight", "time_mix_w0.weight", "time_mix_w1.weight", "time_mix_w2.weight", "time_mix_v0.weight", "time_mix_v1.weight", "time_mix_v2.weight",
        "time_mix_a0.weight", "time_mix_a1.weight", "time_mix_a2.weight", "time_mix_g1.weight", "time_mix_g2.weight",
        "time_mix_decay_w1.weight", "time_mix_decay_w2.weight", "time_mix_lerp_fused.weight", "attn_rel_b.weight", ".position_embd", ".rel_pos", ".patch_embd", ".patch_merger",
    ];

    /// <summary>The decoder layer in the name; −1 outside the layers, as llama.cpp sorts them.</summary>
    public int Layer { get; } = LayerOf(Name);

    public GgufCategory Category { get; } = GgufCategories.Of(Name);

    /// <summary>Row-major, slowest first: (experts, out_features, in_features), (out_features, in_features), or the length of a vector.</summary>
    public ImmutableArray<long> Dimensions => Matrices > 1 ? [Matrices, Rows / Matrices, RowLength] : Rows == 1 && Source.Dimensions.Length < 2 ? [RowLength] : [Rows, RowLength];

    public long Bytes(NumberFormat type) => checked(type.BytesFor(RowLength) * Rows);

    /// <summary>The HF converter stores these in FP32 whatever type is asked for; what the quantizer may convert it converts all the same. Source: llama.cpp conversion/base.py (prepare_tensors).</summary>
    public bool AlwaysF32 { get; } =
        Rank < 2
        || !Name.EndsWith(".weight", StringComparison.Ordinal)
        || Name.EndsWith("_norm.weight", StringComparison.Ordinal)
        || ContainsAny(Name, F32Parts);

    /// <summary>Whether <c>llama-quantize</c> may convert it. Source: llama.cpp src/llama-quant.cpp (tensor_allows_quantization).</summary>
    public bool AllowsQuantization { get; } =
        Rank >= 2
        && Name.EndsWith("weight", StringComparison.Ordinal)
        && !Name.Contains("_norm.weight", StringComparison.Ordinal)
        && Name is not ("position_embd.weight" or "token_types.weight")
        && !ContainsAny(Name, KeptParts);

    private static bool ContainsAny(string name, string[] parts) => parts.Any(part => name.Contains(part, StringComparison.Ordinal));

    private static int LayerOf(string name)
    {
        if (!name.StartsWith("blk.", StringComparison.Ordinal))
            return -1;
        var digits = name.AsSpan(4);
        var end = digits.IndexOf('.');
        return end > 0 && int.TryParse(digits[..end], out var layer) ? layer : -1;
    }
}

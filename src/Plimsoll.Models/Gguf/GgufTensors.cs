using System.Collections.Immutable;
using Plimsoll.Checkpoints;

namespace Plimsoll.Models.Gguf;

/// <summary>What the tensors of a GGUF file are for, by the names that llama.cpp gives them.</summary>
internal static class GgufTensors
{
    public static ImmutableArray<TensorShape> Read(IReadOnlyList<TensorHeader> headers, GgufFacts facts) => [.. headers.Select(header => Read(header, facts))];

    private static TensorShape Read(TensorHeader header, GgufFacts facts)
    {
        var (layer, part) = Split(header.Name);
        var isNextToken = layer >= facts.Layers;
        var role = isNextToken ? TensorRole.NextToken : layer is null ? RoleOutside(part) : RoleInLayer(part);
        var isStack = role == TensorRole.Expert && header.Dimensions.Length > 1 && part.Contains("_exps", StringComparison.Ordinal);
        var dimensions = isStack ? header.Dimensions[1..] : header.Dimensions;
        var count = isStack ? checked((int)header.Dimensions[0]) : 1;
        var active = role switch
        {
            TensorRole.Tower or TensorRole.NextToken => 0,
            _ when isStack => Math.Min(count, facts.Count("expert_used_count") ?? count),
            _ => 1,
        };
        return new()
        {
            Name = header.Name,
            Dimensions = dimensions,
            Role = role,
            Layer = isNextToken ? null : layer,
            Count = count,
            ActiveCount = active,
            IsLinear = dimensions.Length == 2 && part.EndsWith(".weight", StringComparison.Ordinal) && IsMatrix(role, part),
        };
    }

    /// <summary><c>blk.3.attn_q.weight</c> is layer 3 and <c>attn_q.weight</c>.</summary>
    private static (int? Layer, string Part) Split(string name)
    {
        if (!name.StartsWith("blk.", StringComparison.Ordinal))
            return (null, name);
        var end = name.IndexOf('.', 4);
        return end > 4 && int.TryParse(name.AsSpan(4, end - 4), out var layer) && layer >= 0 ? (layer, name[(end + 1)..]) : (null, name);
    }

    private static TensorRole RoleOutside(string name) => name switch
    {
        "output.weight" or "output.bias" => TensorRole.OutputHead,
        _ when name.StartsWith("token_embd.", StringComparison.Ordinal) || name.StartsWith("per_layer_token_embd.", StringComparison.Ordinal) => TensorRole.Embedding,
        _ when name.StartsWith("position_embd.", StringComparison.Ordinal) || name.StartsWith("token_types.", StringComparison.Ordinal) => TensorRole.PositionEmbedding,
        _ when name.StartsWith("v.", StringComparison.Ordinal) || name.StartsWith("a.", StringComparison.Ordinal) || name.StartsWith("mm.", StringComparison.Ordinal) => TensorRole.Tower,
        _ when name.Contains("norm", StringComparison.Ordinal) => TensorRole.Norm,
        _ => TensorRole.Other,
    };

    private static TensorRole RoleInLayer(string part) => part switch
    {
        _ when part.StartsWith("nextn.", StringComparison.Ordinal) => TensorRole.NextToken,
        _ when part.Contains("_norm", StringComparison.Ordinal) || part.StartsWith("norm", StringComparison.Ordinal) => TensorRole.Norm,
        _ when part.StartsWith("ffn_gate_inp_shexp", StringComparison.Ordinal) || part.Contains("_shexp", StringComparison.Ordinal) => TensorRole.SharedExpert,
        _ when part.StartsWith("ffn_gate_inp", StringComparison.Ordinal) || part.StartsWith("exp_probs_b", StringComparison.Ordinal) => TensorRole.Router,
        _ when part.Contains("_exps", StringComparison.Ordinal) => TensorRole.Expert,
        _ when part.StartsWith("ffn_", StringComparison.Ordinal) => TensorRole.FeedForward,
        _ when part.StartsWith("attn_", StringComparison.Ordinal) || part.StartsWith("indexer", StringComparison.Ordinal) => TensorRole.Attention,
        _ when part.StartsWith("ssm_", StringComparison.Ordinal) || part.StartsWith("shortconv", StringComparison.Ordinal)
            || part.StartsWith("time_mix", StringComparison.Ordinal) || part.StartsWith("channel_mix", StringComparison.Ordinal) => TensorRole.Recurrent,
        _ => TensorRole.Other,
    };

    private static bool IsMatrix(TensorRole role, string part) => role switch
    {
        TensorRole.Embedding or TensorRole.PositionEmbedding or TensorRole.Norm => false,
        TensorRole.Recurrent => !part.Contains("conv", StringComparison.Ordinal) && !part.StartsWith("ssm_a", StringComparison.Ordinal),
        _ => true,
    };
}

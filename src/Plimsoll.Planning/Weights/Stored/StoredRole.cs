using System.Globalization;
using Plimsoll.Checkpoints;
using Plimsoll.Models;

namespace Plimsoll.Planning.Weights.Stored;

/// <summary>What a stored tensor is for, judged by its name when the architecture does not list it.</summary>
internal static class StoredRole
{
    private static readonly (string Part, TensorRole Role)[] Parts =
    [
        ("vision", TensorRole.Tower), ("visual", TensorRole.Tower), ("audio", TensorRole.Tower), ("multi_modal", TensorRole.Tower), ("mm.", TensorRole.Tower), ("v.blk", TensorRole.Tower),
        ("mtp", TensorRole.NextToken), ("nextn", TensorRole.NextToken),
        ("shared_expert", TensorRole.SharedExpert), ("shexp", TensorRole.SharedExpert),
        ("experts", TensorRole.Expert), ("_exps", TensorRole.Expert),
        ("gate_inp", TensorRole.Router), ("router", TensorRole.Router),
        ("norm", TensorRole.Norm),
        ("lm_head", TensorRole.OutputHead), ("embed_out", TensorRole.OutputHead), ("output.weight", TensorRole.OutputHead),
        ("position_emb", TensorRole.PositionEmbedding), ("wpe", TensorRole.PositionEmbedding), ("embed", TensorRole.Embedding), ("token_embd", TensorRole.Embedding), ("wte", TensorRole.Embedding),
        ("ssm", TensorRole.Recurrent), ("linear_attn", TensorRole.Recurrent), ("mamba", TensorRole.Recurrent), ("conv", TensorRole.Recurrent),
        ("attn", TensorRole.Attention), ("attention", TensorRole.Attention),
        ("mlp", TensorRole.FeedForward), ("ffn", TensorRole.FeedForward), ("feed_forward", TensorRole.FeedForward),
    ];

    /// <summary>A shape for a tensor that the architecture does not list: its own dimensions and the role its name suggests.</summary>
    public static TensorShape ShapeOf(TensorHeader header)
    {
        var role = header.Name.StartsWith("output.weight", StringComparison.Ordinal)
            ? TensorRole.OutputHead
            : Parts.FirstOrDefault(pair => header.Name.Contains(pair.Part, StringComparison.Ordinal), (Part: "", Role: TensorRole.Other)).Role;
        return new()
        {
            Name = header.Name,
            Dimensions = header.Dimensions,
            Role = role,
            Layer = role is TensorRole.Tower or TensorRole.NextToken ? null : LayerOf(header.Name),
            ActiveCount = role is TensorRole.Tower or TensorRole.NextToken ? 0 : 1,
        };
    }

    private static int? LayerOf(string name)
    {
        var parts = name.Split('.');
        for (var at = 1; at < parts.Length; at++)
        {
            if (parts[at - 1] is "layers" or "h" or "blk" or "blocks" && int.TryParse(parts[at], NumberStyles.None, CultureInfo.InvariantCulture, out var layer))
                return layer;
        }
        return null;
    }
}

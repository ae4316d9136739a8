using System.Globalization;

namespace Plimsoll.Models;

/// <summary>What a stored tensor is for, judged by its name: Hugging Face's, Meta's and llama.cpp's spellings.</summary>
public static class TensorRoles
{
    private static readonly (string Part, TensorRole Role)[] Parts =
    [
        ("vision", TensorRole.Tower), ("visual", TensorRole.Tower), ("audio", TensorRole.Tower), ("multi_modal", TensorRole.Tower), ("mm.", TensorRole.Tower), ("v.blk", TensorRole.Tower),
        ("mtp", TensorRole.NextToken), ("nextn", TensorRole.NextToken),
        ("shared_expert", TensorRole.SharedExpert), ("shexp", TensorRole.SharedExpert),
        ("experts", TensorRole.Expert), ("_exps", TensorRole.Expert),
        ("gate_inp", TensorRole.Router), ("router", TensorRole.Router),
        ("norm", TensorRole.Norm), (".ln_", TensorRole.Norm),
        ("lm_head", TensorRole.OutputHead), ("embed_out", TensorRole.OutputHead),
        ("position_emb", TensorRole.PositionEmbedding), ("wpe", TensorRole.PositionEmbedding), ("embed", TensorRole.Embedding), ("token_embd", TensorRole.Embedding), ("wte", TensorRole.Embedding),
        ("ssm", TensorRole.Recurrent), ("linear_attn", TensorRole.Recurrent), ("mamba", TensorRole.Recurrent), ("conv", TensorRole.Recurrent),
        ("attn", TensorRole.Attention), ("attention", TensorRole.Attention),
        ("mlp", TensorRole.FeedForward), ("ffn", TensorRole.FeedForward), ("feed_forward", TensorRole.FeedForward),
    ];

    /// <summary>The role that the name suggests; <see cref="TensorRole.Other"/> when it suggests none.</summary>
    public static TensorRole OfName(string name)
    {
        // Meta's and llama.cpp's head; further inside a name, "output" is a projection.
        if (name is "output.weight" or "output.bias" || name.EndsWith("_mod.output.weight", StringComparison.Ordinal))
            return TensorRole.OutputHead;
        foreach (var (part, role) in Parts)
        {
            if (name.Contains(part, StringComparison.Ordinal))
                return role;
        }
        return TensorRole.Other;
    }

    /// <summary>The decoder layer that the name counts; null outside the layers.</summary>
    public static int? LayerOf(string name)
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

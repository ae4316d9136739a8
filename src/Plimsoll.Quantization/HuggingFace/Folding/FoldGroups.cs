using System.Collections.Immutable;
using Plimsoll.Planning.Weights.Gguf;
using Plimsoll.Runtime.Settings;

namespace Plimsoll.Quantization.HuggingFace.Folding;

/// <summary>Where the inputs of layers can be rescaled without changing what a model computes.</summary>
/// <remarks>
/// From a norm to the layers that are its only readers, from the up projection to the down projection (the gate is between them and multiplies element by element), and
/// from values to the output of attention where every query head has keys and values of its own. AWQ (Lin et al. 2023) and SmoothQuant (Xiao et al. 2022) fold there.
/// </remarks>
internal sealed class FoldGroups
{
    private readonly TransformerSettings settings;
    private readonly float normOffset;
    private readonly Dictionary<string, SourceParameter> parameters;
    private readonly ILookup<string, string> names;

    private FoldGroups(SourceLayers source, TransformerSettings settings)
    {
        this.settings = settings;
        // Folders of Gemma store the weights of norms less one.
        normOffset = source.Folder is not null && source.Shape.Architecture.StartsWith("gemma", StringComparison.Ordinal) ? 1 : 0;
        parameters = source.Parameters.ToDictionary(parameter => parameter.Storage.Name, StringComparer.Ordinal);
        names = GgufLayout.Of(source.Shape).Tensors.ToLookup(tensor => tensor.Name, tensor => tensor.Source.Name, StringComparer.Ordinal);
    }

    /// <param name="settings">What the model computes.</param>
    public static ImmutableArray<FoldGroup> Find(SourceLayers source, TransformerSettings settings)
    {
        // Its layers are stored (inputs, outputs), as no format of integers stores them.
        if (source.Shape.Architecture == "gpt2")
            return [];
        var groups = new FoldGroups(source, settings);
        return [.. Enumerable.Range(0, settings.Layers.Length).SelectMany(groups.OfLayer).OfType<FoldGroup>()];
    }

    private IEnumerable<FoldGroup?> OfLayer(int layer)
    {
        var own = settings.Layers[layer];
        if (settings.NormPlacement != NormPlacement.After && settings.Residual != Residual.ParallelSharedNorm)
        {
            yield return OfNorm(layer, "attn_norm", "attn_q", "attn_k", "attn_v", "attn_qkv");
            // The router of a mixture reads the norm too, and it is not converted.
            if (own.Experts is null)
                yield return OfNorm(layer, "ffn_norm", "ffn_gate", "ffn_up");
        }
        if (own.Heads == own.KeyValueHeads)
            yield return OfRows(layer, "attn_v", "attn_output");
        if (!settings.Gated)
            yield break;
        for (var expert = 0; expert < own.Experts?.Count; expert++)
            yield return OfRows(layer, "ffn_up_exps", "ffn_down_exps", expert);
        if (own.Experts is null)
            yield return OfRows(layer, "ffn_up", "ffn_down", firstRow: Find(layer, "ffn_gate") is null ? own.FeedForward : 0);
    }

    private FoldGroup? OfNorm(int layer, string norm, params ReadOnlySpan<string> readers)
    {
        var consumers = ImmutableArray.CreateBuilder<SourceParameter>();
        foreach (var reader in readers)
        {
            if (Find(layer, reader) is { } consumer)
                consumers.Add(consumer);
        }
        return Find(layer, norm) is { } producer && consumers.Count > 0
            ? new(producer, Find(layer, norm, ending: "bias"), consumers.ToImmutable()) { IsNorm = true, NormOffset = normOffset }
            : null;
    }

    private FoldGroup? OfRows(int layer, string before, string after, int expert = 0, int firstRow = 0) =>
        Find(layer, before, expert) is { } producer && Find(layer, after, expert) is { } consumer
            ? new(producer, Find(layer, before, expert, "bias"), [consumer]) { FirstRow = firstRow }
            : null;

    private SourceParameter? Find(int layer, string part, int expert = 0, string ending = "weight") =>
        names[$"blk.{layer}.{part}.{ending}"].FirstOrDefault() is { } name ? parameters.GetValueOrDefault(name.Replace("*", $"{expert}", StringComparison.Ordinal)) : null;
}

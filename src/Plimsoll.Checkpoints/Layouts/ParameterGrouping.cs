using System.Collections.Immutable;
using Plimsoll.Checkpoints.HuggingFace;
using Plimsoll.Numerics;

namespace Plimsoll.Checkpoints.Layouts;

/// <summary>Groups the tensors of a checkpoint by the parameters they store.</summary>
public static class ParameterGrouping
{
    /// <summary>Parts that hold codes: where one of them is, the others beside it are its scales.</summary>
    private static readonly string[] CodeParts = ["qweight", "weight_packed", "W_q", "_weight_qdata", "blocks", "q_weight", "trellis", "codes", "qdata"];

    /// <summary>Parts whose names are also those of ordinary parameters: without codes beside them they are just that.</summary>
    private static readonly string[] CommonNames = ["scale", "scales", "zero", "biases", "codes", "data"];

    private static readonly string[] CacheScales = [".k_scale", ".v_scale", ".q_scale", ".kv_scale", ".prob_scale"];

    /// <param name="quantization">What the configuration says; it decides only what shapes leave open.</param>
    /// <returns>The parameters in the order of their first tensor.</returns>
    /// <exception cref="CheckpointFormatException">A pattern of the configuration is no regular expression.</exception>
    public static ImmutableArray<ParameterStorage> Group(IEnumerable<TensorHeader> tensors, QuantizationConfig? quantization = null)
    {
        var groups = new Dictionary<string, List<StoredPart>>(StringComparer.Ordinal);
        foreach (var tensor in tensors)
        {
            // ggml blocks hold their scales; a name in a GGUF file is never a part.
            var name = tensor.Format is { Kind: NumberFormatKind.Block, GgmlType: not null } ? new(tensor.Name, "") : TensorName.Of(tensor.Name);
            if (!groups.TryGetValue(name.Parameter, out var parts))
                groups[name.Parameter] = parts = [];
            parts.Add(new(name.Part, tensor));
        }
        var storages = ImmutableArray.CreateBuilder<ParameterStorage>(groups.Count);
        foreach (var (name, parts) in groups)
            Add(storages, name, parts, quantization);
        return storages.DrainToImmutable();
    }

    private static void Add(ImmutableArray<ParameterStorage>.Builder storages, string name, List<StoredPart> parts, QuantizationConfig? quantization)
    {
        if (parts is [{ Part: "" } only])
        {
            storages.Add(Single(name, only.Header, quantization));
            return;
        }
        if (parts.Any(part => part.Part.Length == 0 || CodeParts.Contains(part.Part)))
        {
            var scheme = quantization?.SchemeOf(new TensorName(name, "").Module);
            storages.Add(LayoutReader.Read(name, [.. parts], scheme));
            return;
        }
        foreach (var (part, header) in parts)
        {
            storages.Add(Whole(header) with
            {
                Kind = CommonNames.Contains(part) || part is "original_weight" ? StorageKind.Parameter : StorageKind.Orphan,
            });
        }
    }

    private static ParameterStorage Single(string name, TensorHeader header, QuantizationConfig? quantization)
    {
        var kind = KindOf(header);
        // Only formats that can hold codes ask for the scheme: patterns cost time, and a checkpoint has thousands of tensors.
        if (kind == StorageKind.Parameter && quantization is not null && header.Format.BlockBytes == 1 && header.Dimensions.Length > 1
            && quantization.SchemeOf(new TensorName(name, "").Module) is { } scheme)
            return LayoutReader.Read(name, [new("", header)], scheme);
        return Whole(header) with { Kind = kind };
    }

    private static ParameterStorage Whole(TensorHeader header) => new()
    {
        Name = header.Name,
        Parts = [new("", header)],
        Layout = StorageLayout.Plain,
        Dimensions = header.Dimensions,
        Elements = header.Elements,
        TypeName = header.Format.Name,
    };

    private static StorageKind KindOf(TensorHeader header)
    {
        var name = header.Name;
        if (CacheScales.Any(ending => name.EndsWith(ending, StringComparison.Ordinal)))
            return StorageKind.CacheScale;
        var isBuffer = name.EndsWith("inv_freq", StringComparison.Ordinal)
            || name.EndsWith("masked_bias", StringComparison.Ordinal)
            || name.EndsWith("position_ids", StringComparison.Ordinal)
            || name.EndsWith("num_batches_tracked", StringComparison.Ordinal)
            || name.EndsWith("cos_cached", StringComparison.Ordinal)
            || name.EndsWith("sin_cached", StringComparison.Ordinal)
            || name == "rope.freqs"
            || name.Contains("rng_state", StringComparison.Ordinal)
            // A number that a training script saves beside the model, as a tensor: best_val_loss.
            || header.Dimensions.IsEmpty && !name.Contains('.')
            // The causal mask of GPT-2 and GPT-NeoX, (1, 1, context, context).
            || header.Dimensions is [1, 1, _, _] && name.EndsWith(".bias", StringComparison.Ordinal);
        return isBuffer ? StorageKind.Buffer : StorageKind.Parameter;
    }
}

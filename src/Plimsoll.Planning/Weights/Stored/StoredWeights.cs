using System.Collections.Immutable;
using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Checkpoints.Layouts;
using Plimsoll.Models;
using Plimsoll.Numerics;
using Plimsoll.Planning.Weights.Gguf;

namespace Plimsoll.Planning.Weights.Stored;

/// <summary>The weights of a real checkpoint: its tensor headers grouped by the parameters of the model.</summary>
internal static class StoredWeights
{
    /// <param name="ggufFileType"><c>general.file_type</c> of a GGUF file; null when unknown.</param>
    public static WeightSet Of(ModelShape shape, IReadOnlyList<TensorHeader> tensors, long? ggufFileType)
    {
        var parameters = shape.Tensors.Select(tensor => new StoredParameter(tensor, shape.HiddenSize)).ToList();
        var byName = Index(shape, parameters);
        var unlisted = new Dictionary<string, StoredParameter>();
        foreach (var header in tensors)
        {
            var name = TensorName.Of(header.Name);
            name = name with { Parameter = TensorName.Key(name.Parameter) };
            if (byName.TryGetValue(header.Name, out var parameter))
                parameter.Add(header, "");
            else if (byName.TryGetValue(name.Parameter, out parameter))
                parameter.Add(header, name.Part);
            else
                Unlisted(unlisted, name, header, shape).Add(header, name.Part);
        }
        var stored = parameters.Where(parameter => !parameter.IsEmpty).Concat(unlisted.Values).ToList();
        return new(PrecisionOf(stored, ggufFileType), [.. stored.Select(parameter => parameter.ToWeightTensor())])
        {
            Confidence = shape.Confidence,
            Notes = [.. Notes(shape, parameters, unlisted.Values)],
        };
    }

    /// <summary>Parameters by their Hugging Face names and by the names the GGUF converter would give them.</summary>
    private static Dictionary<string, StoredParameter> Index(ModelShape shape, List<StoredParameter> parameters)
    {
        var byName = new Dictionary<string, StoredParameter>();
        var bySource = new Dictionary<string, StoredParameter>();
        foreach (var parameter in parameters)
        {
            byName.TryAdd(TensorName.Key(parameter.Shape.Name), parameter);
            bySource.TryAdd(parameter.Shape.Name, parameter);
        }
        foreach (var tensor in GgufLayout.Of(shape).Tensors)
        {
            if (bySource.TryGetValue(tensor.Source.Name, out var parameter))
                byName.TryAdd(tensor.Name, parameter);
        }
        return byName;
    }

    private static StoredParameter Unlisted(Dictionary<string, StoredParameter> unlisted, TensorName name, TensorHeader header, ModelShape shape)
    {
        if (!unlisted.TryGetValue(name.Parameter, out var parameter))
            unlisted[name.Parameter] = parameter = new(StoredRole.ShapeOf(header), shape.HiddenSize);
        return parameter;
    }

    /// <summary>The precision that holds most of the bytes of the decoder layers; a file type, where the file states one, is more exact.</summary>
    private static string PrecisionOf(List<StoredParameter> stored, long? ggufFileType)
    {
        if (ggufFileType is { } id && GgufFileType.FromId(id) is { } type)
            return "gguf:" + type.Name;
        var inLayers = stored.Where(parameter => parameter.Shape.Layer is not null).ToList();
        return (inLayers.Count > 0 ? inLayers : stored)
            .GroupBy(parameter => parameter.Identify().Precision)
            .OrderByDescending(group => group.Sum(parameter => parameter.Bytes))
            .Select(group => group.Key)
            .FirstOrDefault("unknown");
    }

    private static IEnumerable<string> Notes(ModelShape shape, List<StoredParameter> parameters, IEnumerable<StoredParameter> unlisted)
    {
        var extra = unlisted.ToList();
        var head = extra.Find(parameter => parameter.Shape.Role == TensorRole.OutputHead);
        if (shape.TiedEmbeddings && head is not null)
        {
            yield return $"The output head is tied to the embedding but stored a second time ({new ByteSize(head.Bytes)}).";
            extra.Remove(head);
        }
        if (extra.Count > 0)
            yield return $"{extra.Count} stored tensors ({new ByteSize(extra.Sum(parameter => parameter.Bytes))}) are not part of the architecture as it is known here, the first of them {extra[0].Shape.Name}; their bytes are counted.";
        var missing = parameters.Where(parameter => parameter.IsEmpty).ToImmutableArray();
        if (missing.Length > 0)
            yield return $"{missing.Length} tensors of the architecture are not in the checkpoint, the first of them {missing[0].Shape.Name}; they are not counted.";
    }
}

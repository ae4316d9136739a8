using System.Collections.Immutable;
using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.Data;
using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Checkpoints.HuggingFace;
using Plimsoll.Models;
using Plimsoll.Planning.Weights.Gguf;

namespace Plimsoll.Quantization.HuggingFace.FromGguf;

/// <summary>The parameters of a GGUF file under the names and in the order that Hugging Face gives them: the reverse of what llama.cpp's converter does.</summary>
internal static class GgufLayers
{
    private const string RopeFactors = "rope_freqs.weight";

    /// <exception cref="QuantizationRefusedException">The architecture is none of those whose configuration follows from the metadata, or the tensors are not the ones it has.</exception>
    public static SourceLayers Open(LocatedModel model, Checkpoint checkpoint, GgufMetadata metadata)
    {
        var reader = new WeightReader(checkpoint, quantization: null);
        var config = ModelConfig.Parse(checkpoint.Path, GgufModelConfig.Write(metadata, checkpoint, reader));
        var shape = ModelShapeReader.FromConfig(config, model.Shape.Id, "gguf");
        var stored = reader.Parameters.ToDictionary(parameter => parameter.Name, StringComparer.Ordinal);
        var parameters = ImmutableArray.CreateBuilder<SourceParameter>();
        foreach (var tensor in GgufLayout.Of(shape).Tensors.Where(tensor => tensor.Name != RopeFactors))
        {
            if (!stored.Remove(tensor.Name, out var storage))
                throw new QuantizationRefusedException($"{checkpoint.Path} has no tensor '{tensor.Name}', which a {shape.Architecture} model has; it cannot be written for Hugging Face");
            var weight = reader.Open(storage);
            parameters.AddRange(Split(tensor, weight, shape));
        }
        stored.Remove(RopeFactors);
        if (stored.Keys.FirstOrDefault() is { } unknown)
            throw new QuantizationRefusedException($"{checkpoint.Path} has a tensor '{unknown}' that a {shape.Architecture} model does not have; it cannot be written for Hugging Face");
        return new()
        {
            Shape = shape,
            Checkpoint = checkpoint,
            Config = config,
            Parameters = [.. parameters.OrderBy(parameter => parameter.Storage.Main.File, StringComparer.Ordinal).ThenBy(parameter => parameter.Storage.Main.Offset)],
        };
    }

    /// <summary>One parameter, or one for each expert of a stack.</summary>
    private static IEnumerable<SourceParameter> Split(GgufTensor tensor, StoredWeight weight, ModelShape shape)
    {
        var source = tensor.Source;
        for (var part = 0; part < (source.Name.Contains('*', StringComparison.Ordinal) ? source.Count : 1); part++)
        {
            var name = source.Name.Replace("*", $"{part}", StringComparison.Ordinal);
            var firstRow = part * (weight.Rows / (source.Name.Contains('*', StringComparison.Ordinal) ? source.Count : 1));
            var storage = weight.Storage with { Name = name, Dimensions = source.Dimensions };
            yield return new(storage, source, () => Rearranged(tensor, weight, storage, source.Dimensions, firstRow, shape)) { Matrix = (tensor.Name, part) };
        }
    }

    private static StoredWeight Rearranged(GgufTensor tensor, StoredWeight weight, Checkpoints.Layouts.ParameterStorage storage, ImmutableArray<long> dimensions, long firstRow, ModelShape shape)
    {
        Func<long, long> rowOf = RotatedHeads(tensor, shape) is { } heads && dimensions.Length == 2 ? PairsToHalves(dimensions[0] / heads) : row => firstRow + row;
        if (RotatedHeads(tensor, shape) is { } biasHeads && dimensions.Length == 1)
            return new ReorderedVector(storage, weight, PairsToHalves(dimensions[0] / biasHeads));
        return weight is IntegerWeight integers ? new SelectedIntegers(storage, dimensions, integers, rowOf) : new SelectedWeight(storage, dimensions, weight, rowOf);
    }

    /// <summary>The heads of a query or key projection whose rows llama.cpp orders in pairs; null for all others.</summary>
    private static int? RotatedHeads(GgufTensor tensor, ModelShape shape) => shape.Architecture is not ("llama" or "mixtral") || shape.Layers[0].Attention is not { } attention ? null : tensor.Name.Split('.') switch
    {
        [.., "attn_q", _] => attention.Heads,
        [.., "attn_k", _] => attention.KeyValueHeads,
        _ => null,
    };

    /// <summary>Hugging Face's element j of a head is llama.cpp's 2j in the first half of the head and 2 (j − d/2) + 1 in the second.</summary>
    private static Func<long, long> PairsToHalves(long headDim) => row =>
    {
        var (head, inside) = Math.DivRem(row, headDim);
        return head * headDim + inside % (headDim / 2) * 2 + inside / (headDim / 2);
    };
}

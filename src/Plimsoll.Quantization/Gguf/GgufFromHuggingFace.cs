using System.Collections.Immutable;
using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.Data;
using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Checkpoints.HuggingFace;
using Plimsoll.Checkpoints.Layouts;
using Plimsoll.Models;
using Plimsoll.Planning.Weights.Gguf;
using Plimsoll.Quantization.Gguf.Architectures;
using Plimsoll.Quantization.Gguf.Rows;

namespace Plimsoll.Quantization.Gguf;

/// <summary>From a Hugging Face checkpoint to the content of a GGUF file.</summary>
internal sealed class GgufFromHuggingFace
{
    private const string RopeFactors = "rope_freqs.weight";

    private readonly LocatedModel located;
    private readonly GgufArchitecture architecture;
    private readonly GgufModel model;
    private readonly SourceTensors source;
    private readonly List<string> notes = [];

    private GgufFromHuggingFace(LocatedModel located, ModelConfig config)
    {
        this.located = located;
        architecture = GgufArchitectures.Of(located.Shape.Architecture);
        source = new(located.Checkpoint!, new WeightReader(located.Checkpoint!, QuantizationConfig.FindIn(Path.GetDirectoryName(config.Path)!, config)));
        model = new(WithStoredVocabulary(located.Shape, source), config);
    }

    public static GgufContent Read(LocatedModel located)
    {
        var path = located.Checkpoint!.ConfigPath ?? throw new CheckpointFormatException(located.Checkpoint.Path, null, "a config.json beside the tensors, which says what the model is", "none");
        return new GgufFromHuggingFace(located, ModelConfig.Parse(path, File.ReadAllBytes(path))).Read();
    }

    private GgufContent Read()
    {
        var layout = GgufLayout.Of(model.Shape);
        var shapes = model.Shape.Tensors.ToLookup(tensor => tensor.Name, StringComparer.Ordinal);
        var tensors = layout.Tensors.Where(tensor => tensor.Name != RopeFactors).Select(tensor => Arrange(tensor, shapes))
            .Concat(architecture.ComputedTensors(model).Select(Computed))
            .ToImmutableArray();
        notes.AddRange(layout.Notes);
        NoteUnused();
        return new(architecture.Name, WriteKeys(), tensors, layout.Facts, [.. notes], Stored: null);
    }

    private GgufSource Arrange(GgufTensor tensor, ILookup<string, TensorShape> shapes)
    {
        // Norms of single heads become the rows of one tensor, whatever else is one parameter.
        var parts = tensor.Source.Name.Contains("layernorm.norms.", StringComparison.Ordinal) ? HeadNorms(tensor.Source, shapes) : [shapes[tensor.Source.Name].First()];
        var found = parts.Select(source.Find).ToList();
        var rows = found.Count == 1 ? found[0].Rows : new StackedRows([.. found.Select(part => part.Rows)]);
        var arranged = architecture.Arrange(tensor, rows, model);
        if (arranged.Elements != tensor.Rows * tensor.RowLength)
            throw new InvalidOperationException($"{tensor.Name} is [{string.Join(", ", arranged.Dimensions)}] and should be [{string.Join(", ", tensor.Dimensions)}]");
        return new(tensor, arranged.Reshape(tensor.Dimensions), [.. found.SelectMany(part => part.Sources)]);
    }

    /// <summary>All shapes whose name differs from this one only in the last number.</summary>
    private static List<TensorShape> HeadNorms(TensorShape first, ILookup<string, TensorShape> shapes)
    {
        var (before, after) = (first.Name[..(first.Name.IndexOf("norms.", StringComparison.Ordinal) + 6)], first.Name[first.Name.LastIndexOf('.')..]);
        return [.. Enumerable.Range(0, int.MaxValue).Select(head => shapes[$"{before}{head}{after}"].FirstOrDefault()).TakeWhile(shape => shape is not null).Select(shape => shape!)];
    }

    private static GgufSource Computed((string Name, ImmutableArray<float> Values) tensor)
    {
        var shape = new TensorShape { Name = tensor.Name, Dimensions = [tensor.Values.Length], Role = TensorRole.Other };
        return new(new(tensor.Name, shape, tensor.Values.Length, 1, 1, 1), new ComputedRows(tensor.Values), []);
    }

    private GgufKeyValues WriteKeys()
    {
        var keys = new GgufKeyValues();
        keys.Text("general.architecture", architecture.Name);
        keys.Text("general.type", "model");
        keys.Text("general.name", located.Shape.Id);
        architecture.WriteKeys(model, new(keys, architecture.Name));
        var vocabulary = architecture.Adapt(ScoredVocabulary.Read(Path.GetDirectoryName(model.ConfigPath)!), model);
        TokenizerKeys.Write(keys, vocabulary, model);
        return keys;
    }

    private void NoteUnused()
    {
        var unused = source.Unused.Where(parameter => !IsExpected(parameter)).ToList();
        if (unused is [var only])
            notes.Add($"{only.Name} is not part of the architecture and left out.");
        else if (unused.Count > 1)
            notes.Add($"{unused.Count} stored tensors are not part of the architecture and left out, the first of them {unused[0].Name}.");
    }

    /// <summary>A tied head stored a second time, a tower, next-token-prediction layers: left out on purpose, as the layout notes.</summary>
    private bool IsExpected(ParameterStorage parameter) =>
        (model.Shape.TiedEmbeddings && TensorRoles.OfName(parameter.Name) == TensorRole.OutputHead)
        || TensorRoles.OfName(parameter.Name) is TensorRole.Tower or TensorRole.NextToken
        || TensorRoles.LayerOf(parameter.Name) >= model.Layers;

    /// <summary>The embedding may have more rows than the configuration counts tokens; llama.cpp wants a token for each.</summary>
    private static ModelShape WithStoredVocabulary(ModelShape shape, SourceTensors source)
    {
        var embedding = shape.Tensors.FirstOrDefault(tensor => tensor.Role == TensorRole.Embedding);
        if (embedding is null || source.DimensionsOf(embedding.Name) is not [var rows, _] || rows <= shape.VocabularySize || rows > int.MaxValue)
            return shape;
        return shape with
        {
            VocabularySize = (int)rows,
            Tensors = [.. shape.Tensors.Select(tensor => tensor.Role is TensorRole.Embedding or TensorRole.OutputHead && tensor.Dimensions[0] == shape.VocabularySize
                ? tensor with { Dimensions = [rows, .. tensor.Dimensions[1..]] }
                : tensor)],
        };
    }
}

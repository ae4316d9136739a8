using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.HuggingFace;
using Plimsoll.Models.Architectures;
using Plimsoll.Models.Configuration;

namespace Plimsoll.Models;

/// <summary>From the description of a model to its <see cref="ModelShape"/>, without reading a weight.</summary>
public static partial class ModelShapeReader
{
    /// <summary>The shape that a Hugging Face <c>config.json</c> describes.</summary>
    /// <param name="id">The name to show.</param>
    /// <param name="source">Where the configuration came from, for <see cref="ModelShape.Source"/>.</param>
    /// <param name="assume">A model type to plan an unknown one as, with low confidence; null refuses it.</param>
    /// <exception cref="UnknownArchitectureException">The architecture is not known, or not derivable with certainty.</exception>
    /// <exception cref="CheckpointFormatException">A fact is missing or impossible.</exception>
    public static ModelShape FromConfig(ModelConfig config, string id, string source, string? assume = null)
    {
        var reader = new ConfigReader(config);
        var modelType = ReadModelType(reader);
        var builder = new ShapeBuilder();
        var writer = ArchitectureTable.Find(modelType);
        if (writer is null && assume is not null)
        {
            writer = ArchitectureTable.Find(assume) ?? throw new UnknownArchitectureException(assume, null, Nearest(assume));
            builder.Note($"The architecture '{modelType}' is not known; it is planned as if it were '{assume}'.", Confidence.Low);
        }
        if (writer is null)
            throw new UnknownArchitectureException(modelType, ArchitectureTable.ReasonToRefuse(modelType), Nearest(modelType));

        try
        {
            var facts = writer(new(modelType, reader, builder));
            if (facts.Hidden == 0 || facts.Vocabulary == 0 || facts.Layers == 0)
                throw new CheckpointFormatException(config.Path, null, "a hidden size, a vocabulary and layers", $"{facts.Hidden}, {facts.Vocabulary} and {facts.Layers}");
            var shape = Assemble(builder, facts, id, modelType, source) with { PublishedType = ReadType(reader) };
            _ = shape.Parameters; // Overflows here, where it can be blamed on the configuration.
            return shape;
        }
        catch (OverflowException failure)
        {
            throw new CheckpointFormatException(config.Path, null, "sizes whose product is a parameter count", "a count above 2^63", failure);
        }
    }

    private static ModelShape Assemble(ShapeBuilder builder, DecoderFacts facts, string id, string architecture, string source) => new()
    {
        Id = id,
        Architecture = architecture,
        HiddenSize = facts.Hidden,
        VocabularySize = facts.Vocabulary,
        MaxContext = facts.MaxContext,
        TiedEmbeddings = facts.Tied,
        Layers = builder.Layers,
        Tensors = builder.Tensors,
        Confidence = builder.Confidence,
        Notes = builder.Notes,
        Source = source,
    };

    private static string ReadModelType(ConfigReader reader)
    {
        if (reader.Text("model_type") is { Length: > 0 } modelType)
            return modelType;
        return reader.Texts("architectures") is [var name, ..] ? ModelTypes.FromClassName(name) : throw reader.Missing("model_type");
    }

    private static string? ReadType(ConfigReader reader) =>
        reader.Text("torch_dtype") ?? reader.Text("dtype") ?? reader.Nested("text_config")?.Text("torch_dtype") ?? reader.Nested("text_config")?.Text("dtype");

    private static string? Nearest(string modelType) => ModelTypes.Nearest(modelType);
}

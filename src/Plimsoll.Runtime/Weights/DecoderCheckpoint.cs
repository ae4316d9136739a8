using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.Data;
using Plimsoll.Checkpoints.HuggingFace;
using Plimsoll.Checkpoints.Layouts;
using Plimsoll.Models;
using Plimsoll.Runtime.Settings;

namespace Plimsoll.Runtime.Weights;

/// <summary>A decoder as a checkpoint stores it: what it computes, and its tensors under the names of whoever wrote it.</summary>
public sealed class DecoderCheckpoint : IDisposable
{
    private readonly HashSet<string> present;

    private DecoderCheckpoint(string path, TransformerSettings settings, Family family, WeightReader? reader, HuggingFaceNames? names, IEnumerable<string> present)
    {
        (Path, Settings, Family, Reader, Names) = (path, settings, family, reader, names);
        this.present = [.. present];
    }

    /// <summary>The file or folder.</summary>
    public string Path { get; }

    public TransformerSettings Settings { get; }

    /// <summary>What the stored weights of norms lack: Gemma's folders store w - 1.</summary>
    public float NormOffset => Names?.NormOffset ?? 0;

    internal Family Family { get; }

    /// <summary>The names and layouts of transformers; null for a GGUF file, whose names and layouts are those of <see cref="WeightName"/>.</summary>
    internal HuggingFaceNames? Names { get; }

    /// <summary>Null where there is only a description.</summary>
    internal WeightReader? Reader { get; }

    /// <summary>Opens a GGUF file or a Hugging Face folder; weights are read as they are asked for.</summary>
    /// <exception cref="UnknownArchitectureException">The architecture cannot be run.</exception>
    /// <exception cref="CheckpointFormatException">A file is broken or a setting impossible.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static DecoderCheckpoint Open(LocatedModel model)
    {
        if (model.Checkpoint is not { } checkpoint)
            throw new ArgumentException($"'{model.Shape.Id}' is a description without weights", nameof(model));
        if (checkpoint.Tensors.IsEmpty)
            throw new CheckpointFormatException(checkpoint.Path, null, "a model with weights", "no tensors: the file holds a vocabulary alone");
        if (checkpoint.Gguf is { } metadata)
        {
            var family = Families.OfGguf(model.Shape.Architecture);
            var reader = new WeightReader(checkpoint, quantization: null);
            return new(checkpoint.Path, GgufSettings.Read(metadata, model.Shape, family, reader), family, reader, null, Stored(reader));
        }
        else
        {
            var config = ModelConfig.Parse(checkpoint.ConfigPath!, File.ReadAllBytes(checkpoint.ConfigPath!));
            var family = Families.OfConfig(model.Shape.Architecture);
            var reader = new WeightReader(checkpoint, QuantizationConfig.Find(config));
            return new(checkpoint.Path, ConfigSettings.Read(config.Text, model.Shape, family), family, reader, family.Names, Stored(reader));
        }
    }

    /// <summary>A decoder that is only described: it has the tensors that its architecture says, and no values for them.</summary>
    /// <inheritdoc cref="Open" path="/exception"/>
    public static DecoderCheckpoint Describe(ModelConfig config, ModelShape shape)
    {
        var family = Families.OfConfig(shape.Architecture);
        return new(config.Path, ConfigSettings.Read(config.Text, shape, family), family, null, family.Names, shape.Tensors.Select(tensor => tensor.Name));
    }

    public bool Has(WeightName name) => Translate(name) is { } own && present.Contains(own);

    /// <summary>The tensor as the checkpoint names it.</summary>
    public string NameOf(WeightName name) => Translate(name) ?? name.Gguf;

    /// <summary>The stored tensor.</summary>
    /// <exception cref="CheckpointFormatException">There is none, or it has another shape.</exception>
    public StoredWeight Require(WeightName name, params ReadOnlySpan<long> dimensions) => Require(NameOf(name), dimensions);

    /// <inheritdoc cref="Require(WeightName, ReadOnlySpan{long})"/>
    /// <param name="name">As the checkpoint names it.</param>
    public StoredWeight Require(string name, params ReadOnlySpan<long> dimensions)
    {
        var expected = $"tensor '{name}' of {string.Join(" x ", dimensions.ToArray())}";
        var weight = Reader?.Find(name) ?? throw new CheckpointFormatException(Path, null, expected, "no such tensor");
        if (!weight.Dimensions.AsSpan().SequenceEqual(dimensions))
            throw new CheckpointFormatException(Path, null, expected, $"one of {string.Join(" x ", weight.Dimensions)}");
        return weight;
    }

    public void Dispose() => Reader?.Dispose();

    private static IEnumerable<string> Stored(WeightReader reader) =>
        reader.Parameters.Where(parameter => parameter.Kind is StorageKind.Parameter or StorageKind.Alias).Select(parameter => parameter.Name);

    private string? Translate(WeightName name) => Names is null ? name.Gguf : Names.Find(name.Layer, name.Part) is { } own ? $"{own}.{name.Ending}" : null;
}

using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.Data;
using Plimsoll.Checkpoints.HuggingFace;
using Plimsoll.Models;
using Plimsoll.Numerics.Linear;
using Plimsoll.Runtime.Settings;
using Plimsoll.Runtime.Weights;

namespace Plimsoll.Runtime;

/// <summary>A decoder with its weights in memory at their packed size. Sessions share them.</summary>
public sealed class TransformerModel : IDisposable
{
    private TransformerModel(TransformerSettings settings, TransformerWeights weights, ComputePool pool) => (Settings, Weights, Pool) = (settings, weights, pool);

    public TransformerSettings Settings { get; }

    /// <summary>Bytes that the weights occupy in memory.</summary>
    public long WeightBytes => Weights.Matrices.Sum(matrix => matrix.Bytes);

    internal TransformerWeights Weights { get; }

    internal ComputePool Pool { get; }

    /// <summary>Loads a GGUF file or a Hugging Face folder.</summary>
    /// <param name="pool">The threads that work; null for the caller alone.</param>
    /// <exception cref="UnknownArchitectureException">The architecture cannot be run.</exception>
    /// <exception cref="CheckpointFormatException">A file is broken, a tensor is missing or has another shape than the configuration says.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static TransformerModel Load(string path, ComputePool? pool = null) => Load(ModelLocator.FromPath(path), pool);

    /// <inheritdoc cref="Load(string, ComputePool)"/>
    public static TransformerModel Load(LocatedModel model, ComputePool? pool = null)
    {
        if (model.Checkpoint is not { } checkpoint)
            throw new ArgumentException($"'{model.Shape.Id}' is a description without weights", nameof(model));
        return checkpoint.Gguf is { } metadata
            ? LoadGguf(checkpoint, metadata, model.Shape, pool ?? ComputePool.Single)
            : LoadFolder(checkpoint, model.Shape, pool ?? ComputePool.Single);
    }

    /// <summary>A new sequence over these weights.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The options cannot be met.</exception>
    public TransformerSession CreateSession(SessionOptions options) => new(this, options);

    public void Dispose() => Weights.Dispose();

    private static TransformerModel LoadGguf(Checkpoint checkpoint, Checkpoints.Gguf.GgufMetadata metadata, ModelShape shape, ComputePool pool)
    {
        var family = Families.OfGguf(shape.Architecture);
        var reader = new WeightReader(checkpoint, quantization: null);
        return Load(checkpoint, GgufSettings.Read(metadata, shape, family, reader), family, reader, names: null, pool);
    }

    private static TransformerModel LoadFolder(Checkpoint checkpoint, ModelShape shape, ComputePool pool)
    {
        var config = ModelConfig.Parse(checkpoint.ConfigPath!, File.ReadAllBytes(checkpoint.ConfigPath!));
        var family = Families.OfConfig(shape.Architecture);
        var reader = new WeightReader(checkpoint, QuantizationConfig.Find(config));
        return Load(checkpoint, ConfigSettings.Read(config.Text, shape, family), family, reader, family.Names, pool);
    }

    private static TransformerModel Load(Checkpoint checkpoint, TransformerSettings settings, Family family, WeightReader reader, HuggingFaceNames? names, ComputePool pool)
    {
        var source = new WeightSource(checkpoint.Path, reader, names);
        try
        {
            return new(settings, new WeightLoader(settings, family, source).Load(), pool);
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }
}

using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Checkpoints.HuggingFace;

namespace Plimsoll.Models;

/// <summary>From a file or folder to a model: its shape, and the stored tensors where there are some.</summary>
public static class ModelLocator
{
    private const int MaxConfigBytes = 10_000_000;

    /// <summary>Opens a checkpoint file, a folder with one, or a folder (or file) that is only a <c>config.json</c>.</summary>
    /// <param name="assume">A model type to plan an unknown one as; null refuses it.</param>
    /// <exception cref="CheckpointFormatException">A file is not what its format requires, or there is no configuration.</exception>
    /// <exception cref="UnknownArchitectureException">The architecture is not known.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static LocatedModel FromPath(string path, string? assume = null)
    {
        if (ConfigOnly(path) is { } alone)
        {
            var config = ReadConfig(alone);
            return FromConfig(config, QuantizationConfig.FindIn(Path.GetDirectoryName(Path.GetFullPath(alone))!, config), Name(path), null, assume);
        }
        var checkpoint = Checkpoint.Open(path);
        if (checkpoint.Gguf is { } metadata)
            return FromGguf(metadata, checkpoint, Name(path));
        if (checkpoint.ConfigPath is not { } configPath)
            throw new CheckpointFormatException(path, null, "a config.json beside the tensors, which says what the model is", "none");
        var stored = ReadConfig(configPath);
        return FromConfig(stored, QuantizationConfig.FindIn(Path.GetDirectoryName(Path.GetFullPath(configPath))!, stored), Name(path), checkpoint, assume);
    }

    /// <summary>The model that the metadata of a GGUF file describes, with its tensors.</summary>
    public static LocatedModel FromGguf(GgufMetadata metadata, Checkpoint checkpoint, string id)
    {
        return new() { Shape = ModelShapeReader.FromGguf(metadata, checkpoint.Tensors, id), Checkpoint = checkpoint };
    }

    /// <summary>The model that a configuration describes, with the checkpoint that it belongs to.</summary>
    public static LocatedModel FromConfig(ModelConfig config, string id, Checkpoint? checkpoint, string? assume) =>
        FromConfig(config, QuantizationConfig.Find(config), id, checkpoint, assume);

    private static LocatedModel FromConfig(ModelConfig config, QuantizationConfig? quantization, string id, Checkpoint? checkpoint, string? assume)
    {
        var shape = ModelShapeReader.FromConfig(config, id, "config.json", assume);
        return new() { Shape = shape, Checkpoint = checkpoint, StoredPrecision = quantization?.PrecisionName ?? PrecisionOf(shape), Quantization = quantization };
    }

    /// <summary>The precision name of a published element type.</summary>
    public static string? PrecisionOf(ModelShape shape) => shape.PublishedType switch
    {
        "float32" => "fp32",
        "float16" => "fp16",
        "bfloat16" => "bf16",
        _ => null,
    };

    /// <summary>The configuration file that <paramref name="path"/> is or holds, when it holds no tensors.</summary>
    private static string? ConfigOnly(string path)
    {
        if (path.EndsWith(".json", StringComparison.OrdinalIgnoreCase) && !path.EndsWith(".index.json", StringComparison.OrdinalIgnoreCase) && File.Exists(path))
            return path;
        var inside = Path.Combine(path, "config.json");
        return Directory.Exists(path) && File.Exists(inside) && Checkpoint.Locate(path).IsEmpty ? inside : null;
    }

    private static ModelConfig ReadConfig(string path)
    {
        var length = new FileInfo(path).Length;
        if (length > MaxConfigBytes)
            throw new CheckpointFormatException(path, null, $"a configuration of at most {MaxConfigBytes} bytes", $"{length} bytes");
        return ModelConfig.Parse(path, File.ReadAllBytes(path));
    }

    private static string Name(string path) => Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));
}

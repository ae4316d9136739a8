using System.Collections.Immutable;
using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.Data;
using Plimsoll.Checkpoints.HuggingFace;
using Plimsoll.Checkpoints.Layouts;
using Plimsoll.Models;
using Plimsoll.Models.Inspection;
using Plimsoll.Numerics;
using Plimsoll.Quantization.HuggingFace.FromGguf;
using Plimsoll.Quantization.HuggingFace.Layers;

namespace Plimsoll.Quantization.HuggingFace;

/// <summary>One parameter of the source, under the name that Hugging Face gives it.</summary>
/// <param name="Shape">The tensor of the architecture that it is; null for one that the architecture does not have.</param>
/// <param name="Open">Its weights, in Hugging Face's order.</param>
internal sealed record SourceParameter(ParameterStorage Storage, TensorShape? Shape, Func<StoredWeight> Open)
{
    /// <summary>What the runtime calls it when it shows inputs: the tensor of the checkpoint that is run, and which matrix of it.</summary>
    public (string Tensor, int Expert) Matrix { get; init; } = (Storage.Name, 0);

    /// <summary>A linear layer inside the decoder, stored as a matrix: what quantization converts. Routers decide with few weights and stay.</summary>
    public bool IsLayer => Storage.Kind == StorageKind.Parameter && Shape is
    {
        IsLinear: true,
        Role: TensorRole.Attention or TensorRole.FeedForward or TensorRole.Expert or TensorRole.SharedExpert or TensorRole.Recurrent,
    };

    /// <summary>Any linear layer, as the lists of modules in a configuration mean it: heads, routers and towers too.</summary>
    public bool IsLinear => Shape?.IsLinear ?? false;

    /// <summary>Whether its numbers were rounded to codes with scales: by any quantizer, ggml's included.</summary>
    public bool IsQuantized => Storage.IsQuantized || Storage.Main.Format.Kind == NumberFormatKind.Block;
}

/// <summary>A checkpoint as it is going to be converted: its parameters, in the order in which the files hold them.</summary>
internal sealed record SourceLayers
{
    public required ModelShape Shape { get; init; }

    public required Checkpoint Checkpoint { get; init; }

    /// <summary>The configuration; one that follows from the metadata for a GGUF file.</summary>
    public required ModelConfig Config { get; init; }

    /// <summary>The folder of <c>config.json</c>, which holds the side files; null for a GGUF file, which has none.</summary>
    public string? Folder { get; init; }

    public required ImmutableArray<SourceParameter> Parameters { get; init; }

    /// <summary>The type of its plain weights.</summary>
    public NumberFormat PlainFormat => NumberFormats.Find(Shape.PublishedType ?? "") is { BlockLength: 1, BlockBytes: 2 or 4 } published ? published : NumberFormats.Bf16;

    /// <summary>The bytes of the tensors, for those that are written as they are; null where names or order differ.</summary>
    public TensorReader? Stored { get; init; }

    /// <exception cref="QuantizationRefusedException">The model has no weights, or is a GGUF file of an architecture whose configuration does not follow from it.</exception>
    public static SourceLayers Open(LocatedModel model)
    {
        if (model.Checkpoint is not { } checkpoint)
            throw new QuantizationRefusedException($"{model.Shape.Id} is known by its shape only; give the folder of a checkpoint with its weights");
        if (!checkpoint.MissingFiles.IsEmpty)
            throw new QuantizationRefusedException($"{checkpoint.Path} is incomplete: {checkpoint.MissingFiles[0]} is missing; fetch the whole checkpoint");
        if (checkpoint.Gguf is { } metadata)
            return GgufLayers.Open(model, checkpoint, metadata);
        if (checkpoint.ConfigPath is not { } path)
            throw new QuantizationRefusedException($"{checkpoint.Path} has no config.json beside its weights, which a Hugging Face checkpoint needs; convert the original checkpoint");
        return OpenFolder(model.Shape, checkpoint, ModelConfig.Parse(path, File.ReadAllBytes(path)), Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    /// <summary>Why a layer cannot be stored in a format, to follow "because"; null when it can.</summary>
    public string? Obstacle(LinearFormat linear, StoredWeight layer) => layer.Dimensions is not [var outputs, var inputs] ? "they are one fused tensor, not matrices"
        : Config.String("model_type") == "gpt2" ? "GPT-2 stores its layers transposed, as no quantized format does"
        : linear.Obstacle(outputs, inputs);

    private static SourceLayers OpenFolder(ModelShape shape, Checkpoint checkpoint, ModelConfig config, string folder)
    {
        var reader = new WeightReader(checkpoint, QuantizationConfig.FindIn(folder, config));
        var match = ArchitectureMatch.Create(shape, reader.Parameters);
        return new()
        {
            Shape = shape,
            Checkpoint = checkpoint,
            Config = config,
            Folder = folder,
            Stored = reader.Tensors,
            Parameters =
            [
                .. reader.Parameters
                    .OrderBy(storage => storage.Main.File, StringComparer.Ordinal).ThenBy(storage => storage.Main.Offset)
                    .Select(storage => new SourceParameter(storage, match.ShapeOf(storage), () => reader.Open(storage))),
            ],
        };
    }
}

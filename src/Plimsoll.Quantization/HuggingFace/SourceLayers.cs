using System.Collections.Immutable;
using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.Data;
using Plimsoll.Checkpoints.HuggingFace;
using Plimsoll.Checkpoints.Layouts;
using Plimsoll.Models;
using Plimsoll.Models.Inspection;

namespace Plimsoll.Quantization.HuggingFace;

/// <summary>What becomes of one parameter of the source.</summary>
/// <param name="Shape">The tensor of the architecture that it is; null for one that the architecture does not have.</param>
internal sealed record SourceParameter(ParameterStorage Storage, TensorShape? Shape)
{
    /// <summary>A linear layer inside the decoder, stored as a matrix: what quantization converts. Routers decide with few weights and stay.</summary>
    public bool IsLayer => Storage.Kind == StorageKind.Parameter && Shape is
    {
        IsLinear: true,
        Role: TensorRole.Attention or TensorRole.FeedForward or TensorRole.Expert or TensorRole.SharedExpert or TensorRole.Recurrent,
    };

    /// <summary>Any linear layer, as the lists of modules in a configuration mean it: heads, routers and towers too.</summary>
    public bool IsLinear => Shape?.IsLinear ?? false;
}

/// <summary>A Hugging Face checkpoint as it is going to be converted: its parameters, in the order in which the files hold them.</summary>
internal sealed class SourceLayers
{
    private SourceLayers(LocatedModel model, ModelConfig config, string folder)
    {
        (Shape, Checkpoint, Config, Folder) = (model.Shape, model.Checkpoint!, config, folder);
        Quantization = QuantizationConfig.FindIn(folder, config);
        Reader = new(Checkpoint, Quantization);
        var match = ArchitectureMatch.Create(Shape, Reader.Parameters);
        Parameters =
        [
            .. Reader.Parameters
                .OrderBy(storage => storage.Main.File, StringComparer.Ordinal).ThenBy(storage => storage.Main.Offset)
                .Select(storage => new SourceParameter(storage, match.ShapeOf(storage))),
        ];
    }

    public ModelShape Shape { get; }

    public Checkpoint Checkpoint { get; }

    public ModelConfig Config { get; }

    /// <summary>The folder of <c>config.json</c>, which holds the side files.</summary>
    public string Folder { get; }

    public QuantizationConfig? Quantization { get; }

    public WeightReader Reader { get; }

    public ImmutableArray<SourceParameter> Parameters { get; }

    /// <exception cref="QuantizationRefusedException">The model is no Hugging Face checkpoint with weights.</exception>
    public static SourceLayers Open(LocatedModel model)
    {
        if (model.Checkpoint is not { } checkpoint)
            throw new QuantizationRefusedException($"{model.Shape.Id} is known by its shape only; give the folder of a checkpoint with its weights");
        if (checkpoint.ConfigPath is not { } path)
            throw new QuantizationRefusedException($"{checkpoint.Path} has no config.json beside its weights, which a Hugging Face checkpoint needs; convert the original checkpoint");
        if (!checkpoint.MissingFiles.IsEmpty)
            throw new QuantizationRefusedException($"{checkpoint.Path} is incomplete: {checkpoint.MissingFiles[0]} is missing; fetch the whole checkpoint");
        return new(model, ModelConfig.Parse(path, File.ReadAllBytes(path)), Path.GetDirectoryName(Path.GetFullPath(path))!);
    }
}

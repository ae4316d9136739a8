using System.Collections.Immutable;
using Plimsoll.Models;
using Plimsoll.Numerics;
using Plimsoll.Planning.Training.Jobs;
using Plimsoll.Quantization;
using Plimsoll.Quantization.Rounding;
using Plimsoll.Quantization.Running;
using Plimsoll.Torch.Decoders;
using Plimsoll.Torch.Optimizers;
using static TorchSharp.torch;

namespace Plimsoll.Torch.Saving;

/// <summary>The quantized file or folder that a model is trained for: its plan decides what weights are rounded to during training, and the same plan writes them at the end.</summary>
internal sealed class QuantizedModel
{
    private readonly TrainingJob job;
    private readonly FormatRecipe recipe;
    private readonly NumberFormat published;
    private readonly ImmutableDictionary<string, TensorRounding> roundings;

    /// <exception cref="TrainingRefusedException">There is no such format, or it cannot be trained for.</exception>
    public QuantizedModel(TrainingJob job, LocatedModel original)
    {
        this.job = job;
        var isGgufFile = job.Output.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase);
        recipe = FormatRecipe.Find(job.Quantization!.Format, isGgufFile) ?? throw new TrainingRefusedException($"unknown format '{job.Quantization.Format}'");
        published = NumberFormats.Find(original.Shape.PublishedType ?? "") ?? NumberFormats.Bf16;
        try
        {
            roundings = ModelRounding.Of(recipe.Plan(original, job.Output));
        }
        catch (QuantizationRefusedException refused)
        {
            throw new TrainingRefusedException(refused.Message);
        }
    }

    /// <summary>Lets the weights of a model be rounded whenever they are updated.</summary>
    public void Round(Decoder decoder)
    {
        foreach (var weight in decoder.Weights)
        {
            if (roundings.GetValueOrDefault(weight.Name) is { } rounding && rounding.PlainType != NumberFormats.Fp32)
                weight.Rounding = rounding;
        }
    }

    /// <summary>Writes the exact weights of quantized layers into a folder, and quantizes it as <c>plimsoll quantize</c> does.</summary>
    /// <exception cref="IOException">The disk is full, or cannot be written.</exception>
    /// <exception cref="OperationCanceledException">The run was interrupted.</exception>
    public void Write(Decoder decoder, Optimizer optimizer, CancellationToken cancellation)
    {
        var exact = Path.Combine(job.WorkFolder, "exact");
        ModelFolder.Write(exact, job.Model, published, decoder.Weights.Select(weight => new SavedTensor(weight.Name, StoredType(weight), weight.Value.shape, () => optimizer.ExactOf(weight).detach())));
        var model = ModelLocator.FromPath(exact);
        QuantizationRunner.Run(recipe.Plan(model, job.Output), Request(model.Checkpoint!.Files), cancellation);
        Directory.Delete(exact, recursive: true);
    }

    /// <summary>Plain numbers as they are going to be stored, so that nothing rounds them again; what is quantized as exact as it is.</summary>
    private ScalarType StoredType(Weight weight) => roundings.GetValueOrDefault(weight.Name)?.PlainType switch
    {
        { } type when type == NumberFormats.Bf16 => ScalarType.BFloat16,
        { } type when type == NumberFormats.Fp16 => ScalarType.Float16,
        _ => ScalarType.Float32,
    };

    private QuantizationRequest Request(ImmutableArray<string> files) => new()
    {
        Target = job.Output, Recipe = $"trained {recipe.Name}", SourceFiles = files, Threads = get_num_threads(),
    };
}

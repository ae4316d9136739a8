using System.Collections.Immutable;
using Plimsoll.Numerics;
using Plimsoll.Quantization.Calibration;
using Plimsoll.Quantization.HuggingFace.Folding;
using Plimsoll.Quantization.HuggingFace.Layers;
using Plimsoll.Quantization.HuggingFace.Layers.Integers;

namespace Plimsoll.Quantization.HuggingFace;

/// <summary>What a Hugging Face checkpoint is to be turned into.</summary>
public sealed record HuggingFaceRecipe
{
    private HuggingFaceRecipe(string precision) => Precision = precision;

    /// <summary>The precision as typed: <c>bf16</c>, <c>gptq:4bit-g128</c>, <c>nf4-dq</c>, <c>ct:w4a16-g128</c>.</summary>
    public string Precision { get; }

    /// <summary>The most bytes of tensor data in one file; a larger layer gets a file of its own. Five GB is transformers' default of many years.</summary>
    public long MaxShardBytes { get; init; } = 5_000_000_000;

    /// <summary>Whether layers that are quantized already may be quantized again, which adds a second rounding to the first.</summary>
    public bool AllowRequantize { get; init; }

    /// <summary>How the integers of a layer are chosen; other formats are rounded to nearest.</summary>
    public LayerMethod Method { get; init; }

    /// <summary>What a text has shown of the layers, which some methods learn from.</summary>
    public CalibratedInputs? Inputs { get; init; }

    /// <summary>Whether the method rescales columns, by <see cref="Folds"/>.</summary>
    public bool Rescales => Method is LayerMethod.Awq or LayerMethod.AwqGptq or LayerMethod.SmoothQuant;

    /// <summary>Whether the method learns from products of columns, which take much memory.</summary>
    public bool NeedsProducts => Method is LayerMethod.Gptq or LayerMethod.Awq or LayerMethod.AwqGptq;

    /// <summary>What the columns of layers are multiplied by; null to leave them as they are.</summary>
    public Folds? Folds { get; init; }

    /// <summary>Why the method has nothing to choose in the format, to follow "because"; null when it has.</summary>
    public string? MethodObstacle => (Method, Linear) switch
    {
        (LayerMethod.Nearest, _) => null,
        (_, not IntegerFormat) => $"{Precision} has no integers to choose: it is rounded to nearest",
        (LayerMethod.SmoothQuant, not W8A8Format) => $"activations of {Precision} stay as they are",
        _ => null,
    };

    /// <summary>How linear layers are written; null where everything becomes <see cref="Plain"/>.</summary>
    internal LinearFormat? Linear { get; private init; }

    /// <summary>The type of everything, for a cast.</summary>
    internal NumberFormat? Plain { get; private init; }

    /// <summary>The precisions that can be written, an example of each kind.</summary>
    public static ImmutableArray<string> Names { get; } = ["bf16", "fp16", "fp32", .. LinearFormats.Names];

    /// <summary>Finds the recipe of a precision name; null when there is none of that name.</summary>
    public static HuggingFaceRecipe? Find(string precision)
    {
        var name = precision.Trim().ToLowerInvariant();
        if (NumberFormats.Find(name) is { } format && (format == NumberFormats.Bf16 || format == NumberFormats.Fp16 || format == NumberFormats.Fp32))
            return new(format.Name.ToLowerInvariant()) { Plain = format };
        return LinearFormats.Find(name) is { } linear ? new(linear.Name) { Linear = linear } : null;
    }
}

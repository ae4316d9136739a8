using Plimsoll.Models;
using Plimsoll.Quantization.Calibration;
using Plimsoll.Quantization.HuggingFace;
using Plimsoll.Quantization.HuggingFace.Folding;
using Plimsoll.Quantization.Running;
using Plimsoll.Runtime.Settings;
using Plimsoll.Testing.Builders;

namespace Plimsoll.Quantization.Tests.HuggingFace.Folding;

/// <summary>A checkpoint of one layer, and what a method that rescales columns made of it.</summary>
public abstract class RescaledFolder : IDisposable
{
    private readonly TinyCheckpoint model = new();

    /// <param name="inputsOf">From a module and its columns to its inputs.</param>
    private protected RescaledFolder(string precision, LayerMethod method, Func<string, int, float[]> inputsOf)
    {
        var collector = new InputCollector(keepsGrams: method != LayerMethod.SmoothQuant, threads: 2);
        foreach (var (module, _, inputs) in TinyCheckpoint.Layers)
            collector.Observe(module + ".weight", 0, inputsOf(module, inputs), inputs);
        var located = ModelLocator.FromPath(model.Source);
        var calibrated = HuggingFaceRecipe.Find(precision)! with { Method = method, Inputs = CalibratedInputs.Create(collector, threads: 2, _ => { }, CancellationToken.None) };
        Folds = FoldSearch.Run(located, calibrated, Settings, threads: 2, _ => { }, CancellationToken.None);
        QuantizationRunner.Run(HuggingFaceConversion.Plan(located, calibrated with { Folds = Folds }), new() { Target = model.Target, Recipe = precision, SourceFiles = [], Threads = 2 }, CancellationToken.None);
        Written = TensorFile.Read(model.Target);
        Original = model.Original;
        Nearest = model.Convert(precision, out _, target: model.File("nearest"));
    }

    internal Folds Folds { get; }

    internal TensorFile Original { get; }

    internal TensorFile Written { get; }

    /// <summary>The same, rounded to nearest.</summary>
    internal TensorFile Nearest { get; }

    public void Dispose()
    {
        model.Dispose();
        GC.SuppressFinalize(this);
    }

    private static TransformerSettings Settings => new()
    {
        Architecture = "llama", HiddenSize = TinyCheckpoint.Hidden, VocabularySize = 64, NormEpsilon = 1e-5f,
        Layers = [new() { Heads = 4, KeyValueHeads = 4, HeadDim = 32, ScoreScale = 1, FeedForward = TinyCheckpoint.Width }],
    };
}

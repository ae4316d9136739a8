using Plimsoll.Models;
using Plimsoll.Quantization.HuggingFace.Layers.Integers;
using Plimsoll.Runtime.Settings;

namespace Plimsoll.Quantization.HuggingFace.Folding;

/// <summary>Finds the factors for a model.</summary>
public static class FoldSearch
{
    /// <summary>How many groups of layers can be rescaled.</summary>
    public static int Groups(LocatedModel model, TransformerSettings settings) => FoldGroups.Find(SourceLayers.Open(model), settings).Length;

    /// <param name="recipe">With the inputs of the layers, and a format of integers.</param>
    /// <param name="settings">What the model computes.</param>
    /// <param name="progress">Called with the number of groups done.</param>
    /// <exception cref="QuantizationRefusedException">The model cannot be converted.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled between two groups.</exception>
    public static Folds Run(LocatedModel model, HuggingFaceRecipe recipe, TransformerSettings settings, int threads, Action<int> progress, CancellationToken cancellation)
    {
        var source = SourceLayers.Open(model);
        var groups = FoldGroups.Find(source, settings);
        var format = (IntegerFormat)recipe.Linear!;
        var folds = new Folds();
        for (var index = 0; index < groups.Length; index++)
        {
            cancellation.ThrowIfCancellationRequested();
            if (Scales(groups[index]) is { } scales)
                folds.Add(groups[index], scales);
            progress(index + 1);
        }
        return folds;

        float[]? Scales(FoldGroup group)
        {
            var (tensor, expert) = group.Consumers[0].Matrix;
            if (recipe.Inputs?.Find(tensor, expert) is not { } inputs || !IsConverted(source, format, group))
                return null;
            if (recipe.Method == LayerMethod.SmoothQuant)
                return group.IsNorm ? SmoothScales.Find(group, inputs) : null;
            return inputs.Factor is { } factor ? AwqScales.Find(group, inputs.MeanMagnitudes.Span, factor, layer => format.Grid(layer.Open(), source.PlainFormat), threads) : null;
        }
    }

    /// <summary>What keeps its precision would lose digits by being multiplied.</summary>
    private static bool IsConverted(SourceLayers source, IntegerFormat format, FoldGroup group) =>
        group.Consumers.All(layer => IsConverted(source, format, layer)) && (group.IsNorm ? !group.Producer.IsQuantized : IsConverted(source, format, group.Producer));

    private static bool IsConverted(SourceLayers source, IntegerFormat format, SourceParameter layer) => layer.IsLayer && source.Obstacle(format, layer.Open()) is null;
}

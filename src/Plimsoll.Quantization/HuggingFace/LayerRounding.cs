using System.Globalization;
using Plimsoll.Models;
using Plimsoll.Quantization.Calibration;
using Plimsoll.Quantization.ErrorFeedback;
using Plimsoll.Quantization.HuggingFace.Layers.Integers.Rounding;

namespace Plimsoll.Quantization.HuggingFace;

/// <summary>Finds for each layer what chooses its integers, and remembers where the method could not be used.</summary>
internal sealed class LayerRounding(HuggingFaceRecipe recipe)
{
    private readonly List<string> unmet = [];
    private readonly Dictionary<float[], LayerInputs> divided = [];
    private int damped;
    private double strongest;

    public IntegerRounder Rounder(SourceParameter layer, IntegerGrid grid)
    {
        if (recipe.Method is LayerMethod.Nearest or LayerMethod.SmoothQuant)
            return new NearestRounder(grid);
        if (InputsOf(layer) is not { Factor: { } factor } inputs)
        {
            unmet.Add(layer.Storage.Module);
            return new NearestRounder(grid);
        }
        Note(factor);
        if (recipe.Method != LayerMethod.Awq)
            return new FeedbackRounder(grid, factor, inputs.MeanSquares);
        return MeetsSoftmax(layer) ? new NearestRounder(grid) : new ClippedRounder(grid, factor);
    }

    /// <summary>Sentences for the report.</summary>
    public IEnumerable<string> Notes()
    {
        if (unmet.Count > 0)
            yield return $"{unmet.Count} layers are rounded to nearest, the first of them {unmet[0]}: no text met them, or what they met cannot be inverted.";
        if (damped > 0)
            yield return string.Create(CultureInfo.InvariantCulture, $"{damped} layers needed more damping, at most {strongest:0.##} of the mean square of their inputs: the text shows too little of them.");
        if (recipe.Folds is { } folds)
            yield return $"The inputs of {folds.Count} groups of layers are rescaled.";
    }

    /// <summary>What a layer is given once its columns are multiplied; layers that share inputs share the result.</summary>
    private LayerInputs? InputsOf(SourceParameter layer)
    {
        if (recipe.Inputs?.Find(layer.Matrix.Tensor, layer.Matrix.Expert) is not { } inputs || recipe.Folds?.ScalesOf(layer.Storage.Name) is not { } scales)
            return recipe.Inputs?.Find(layer.Matrix.Tensor, layer.Matrix.Expert);
        if (!divided.TryGetValue(scales, out var known))
            divided[scales] = known = inputs.Divided(scales);
        return known;
    }

    /// <summary>Queries and keys meet in a product whose largest parts matter most: their ranges are not cut, as AutoAWQ does not.</summary>
    private static bool MeetsSoftmax(SourceParameter layer) => layer.Shape?.Role == TensorRole.Attention
        && layer.Storage.Module.Split('.')[^1] is ("q_proj" or "k_proj" or "qkv_proj" or "query_key_value" or "W_pack");

    private void Note(FeedbackFactor factor)
    {
        if (factor.Damping <= FeedbackFactor.FirstDamping)
            return;
        damped++;
        strongest = Math.Max(strongest, factor.Damping);
    }
}

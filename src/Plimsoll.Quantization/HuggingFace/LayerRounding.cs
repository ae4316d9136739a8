using System.Globalization;
using Plimsoll.Quantization.ErrorFeedback;
using Plimsoll.Quantization.HuggingFace.Layers.Integers.Rounding;

namespace Plimsoll.Quantization.HuggingFace;

/// <summary>Finds for each layer what chooses its integers, and remembers where the method could not be used.</summary>
internal sealed class LayerRounding(HuggingFaceRecipe recipe)
{
    private readonly List<string> unmet = [];
    private int damped;
    private double strongest;

    public IntegerRounder Rounder(SourceParameter layer, IntegerGrid grid)
    {
        if (recipe.Method == LayerMethod.Nearest)
            return new NearestRounder(grid);
        if (recipe.Inputs?.Find(layer.Matrix.Tensor, layer.Matrix.Expert) is not { Factor: { } factor } inputs)
        {
            unmet.Add(layer.Storage.Module);
            return new NearestRounder(grid);
        }
        Note(factor);
        return new FeedbackRounder(grid, factor, inputs.MeanSquares);
    }

    /// <summary>Sentences for the report.</summary>
    public IEnumerable<string> Notes()
    {
        if (unmet.Count > 0)
            yield return $"{unmet.Count} layers are rounded to nearest, the first of them {unmet[0]}: no text met them, or what they met cannot be inverted.";
        if (damped > 0)
            yield return string.Create(CultureInfo.InvariantCulture, $"{damped} layers needed more damping, at most {strongest:0.##} of the mean square of their inputs: the text shows too little of them.");
    }

    private void Note(FeedbackFactor factor)
    {
        if (factor.Damping <= FeedbackFactor.FirstDamping)
            return;
        damped++;
        strongest = Math.Max(strongest, factor.Damping);
    }
}

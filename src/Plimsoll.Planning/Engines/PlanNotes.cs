using System.Globalization;
using Plimsoll.Models;

namespace Plimsoll.Planning.Engines;

/// <summary>Texts that every engine's plan shares.</summary>
internal static class PlanNotes
{
    public static Confidence Confidence(InferenceRequest request) =>
        (Confidence)Math.Min((int)request.Model.Confidence, (int)request.Weights.Confidence);

    public static IEnumerable<string> Common(InferenceRequest request)
    {
        foreach (var note in request.Model.Notes)
            yield return note;
        foreach (var note in request.Weights.Notes)
            yield return note;
        if (request.Model.MaxContext is { } longest && request.Context > longest)
            yield return string.Create(CultureInfo.InvariantCulture, $"the model was made for {longest} tokens; {request.Context} is beyond that");
    }

    public static string DeviceName(int index, int stages, int tensorParallel) => (stages, tensorParallel) switch
    {
        (1, 1) => "GPU",
        (1, _) => string.Create(CultureInfo.InvariantCulture, $"each of {tensorParallel} GPUs"),
        (_, 1) => string.Create(CultureInfo.InvariantCulture, $"GPU {index}"),
        _ => string.Create(CultureInfo.InvariantCulture, $"each GPU of stage {index}"),
    };

    public static string WeightFormula(InferenceRequest request, Stage stage, int stages)
    {
        var weights = request.Weights;
        var text = string.Create(CultureInfo.InvariantCulture, $"{request.Model.Parameters} parameters x {weights.BitsPerWeight:0.####} bits ({weights.Precision})");
        if (stages > 1)
            text += string.Create(CultureInfo.InvariantCulture, $", layers {stage.FirstLayer}..{stage.FirstLayer + stage.LayerCount - 1} of {request.Model.Layers.Length}");
        if (request.Parallel.Tensor > 1)
            text += string.Create(CultureInfo.InvariantCulture, $", 1/{request.Parallel.Tensor} of each matrix");
        return text;
    }

    public static string WeightSource(InferenceRequest request) => $"sum over {request.Weights.Tensors.Length} tensors ({request.Model.Source})";
}

using Plimsoll.Quantization.Calibration;

namespace Plimsoll.Quantization.HuggingFace.Folding;

/// <summary>SmoothQuant: scales that take outliers out of activations which become bytes themselves.</summary>
/// <remarks>
/// s = max|x|^α ÷ max|w|^(1−α) (Xiao et al. 2022, equation 4), for the α of 0, 1/20 … 1 for which the noise of rounding is least; or 1. Rounding to steps of Δ adds Δ² ÷ 12 to each number: to the weights of row o,
/// Δ_o = max|w · s| ÷ 127, times the mean square of x ÷ s; and to the inputs, Δ = max|x ÷ s| ÷ 127, times (w · s)².
/// </remarks>
internal static class SmoothScales
{
    private const int GridPoints = 20;
    private const float Smallest = 1e-5f;

    /// <returns>A factor per column; null where it is best to leave the layers as they are.</returns>
    public static float[]? Find(FoldGroup group, LayerInputs inputs)
    {
        var layers = group.Consumers.Select(Layer.Read).ToList();
        var columns = inputs.LargestMagnitudes.Length;
        float[] weights = [.. Enumerable.Range(0, columns).Select(column => layers.Max(layer => layer.Largest[column]))];
        float[] ones = [.. Enumerable.Repeat(1f, columns)];
        var (best, least) = ((float[]?)null, Noise(layers, inputs, ones));
        for (var point = 0; point <= GridPoints; point++)
        {
            var scales = Scales(inputs.LargestMagnitudes.Span, weights, (float)point / GridPoints);
            var noise = Noise(layers, inputs, scales);
            if (noise < least)
                (best, least) = (scales, noise);
        }
        return best;
    }

    private static float[] Scales(ReadOnlySpan<float> inputs, ReadOnlySpan<float> weights, float alpha)
    {
        var scales = new float[inputs.Length];
        for (var column = 0; column < scales.Length; column++)
            scales[column] = Math.Max(Smallest, MathF.Pow(inputs[column], alpha) / MathF.Pow(Math.Max(Smallest, weights[column]), 1 - alpha));
        return scales;
    }

    /// <summary>The mean square of what rounding adds to the outputs, up to a factor.</summary>
    private static double Noise(List<Layer> layers, LayerInputs inputs, ReadOnlySpan<float> scales)
    {
        var (largest, energy) = (0f, 0.0);
        for (var column = 0; column < scales.Length; column++)
        {
            largest = Math.Max(largest, inputs.LargestMagnitudes.Span[column] / scales[column]);
            energy += inputs.MeanSquares.Span[column] / (scales[column] * scales[column]);
        }
        var noise = 0.0;
        foreach (var layer in layers)
        {
            for (var column = 0; column < scales.Length; column++)
                noise += layer.Squares[column] * scales[column] * scales[column] * largest * largest;
            for (var first = 0; first < layer.Sample.Rows.Length; first += scales.Length)
                noise += energy * Square(LargestProduct(layer.Sample.Rows.AsSpan(first, scales.Length), scales)) * layer.Sample.RowsOfOne;
        }
        return noise;
    }

    private static float LargestProduct(ReadOnlySpan<float> row, ReadOnlySpan<float> scales)
    {
        var largest = 0f;
        for (var column = 0; column < row.Length; column++)
            largest = Math.Max(largest, Math.Abs(row[column]) * scales[column]);
        return largest;
    }

    private static double Square(double value) => value * value;

    /// <summary>A layer of a group.</summary>
    /// <param name="Largest">max|w| of each column.</param>
    /// <param name="Squares">Σ w² of each column.</param>
    private sealed record Layer(LayerSample Sample, float[] Largest, double[] Squares)
    {
        public static Layer Read(SourceParameter parameter)
        {
            var weight = parameter.Open();
            var (largest, squares) = (new float[weight.RowLength], new double[weight.RowLength]);
            return new(LayerSample.Read(weight, row =>
            {
                for (var column = 0; column < row.Length; column++)
                {
                    largest[column] = Math.Max(largest[column], Math.Abs(row[column]));
                    squares[column] += (double)row[column] * row[column];
                }
            }), largest, squares);
        }
    }
}

using Plimsoll.Numerics.Quantizers;
using Plimsoll.Quantization.ErrorFeedback;
using Plimsoll.Quantization.HuggingFace.Layers.Integers;
using Plimsoll.Quantization.HuggingFace.Layers.Integers.Rounding;

namespace Plimsoll.Quantization.HuggingFace.Folding;

/// <summary>AWQ: the scales of the inputs with which rounding to nearest changes the outputs least.</summary>
/// <remarks>
/// s = mean|x|^r ÷ (mean(|w| ÷ max|w| of the group)^(1−r) + 10⁻⁴), divided by √(max s · min s), for r = 0, 1/20 … 19/20 (AutoAWQ quantizer.py, duo scaling); and s = 1. The error is
/// that of the layers' own outputs, e · H · eᵀ, over a <see cref="LayerSample"/> of each layer.
/// </remarks>
internal static class AwqScales
{
    private const int GridPoints = 20;

    /// <param name="magnitudes">mean|x| per column.</param>
    /// <param name="factor">Of the inputs: H.</param>
    /// <returns>A factor per column; null where it is best to leave the layers as they are.</returns>
    public static float[]? Find(FoldGroup group, ReadOnlySpan<float> magnitudes, FeedbackFactor factor, Func<SourceParameter, IntegerGrid> gridOf, int threads)
    {
        var layers = group.Consumers.Select(consumer => Layer.Read(consumer, gridOf(consumer))).ToList();
        var weights = MeanWeights(layers);
        var (best, least) = ((float[]?)null, Loss(layers, null, factor, threads));
        for (var point = 0; point < GridPoints; point++)
        {
            var scales = Scales(magnitudes, weights, (float)point / GridPoints);
            var loss = Loss(layers, scales, factor, threads);
            if (loss < least)
                (best, least) = (scales, loss);
        }
        return best;
    }

    private static float[] Scales(ReadOnlySpan<float> inputs, ReadOnlySpan<float> weights, float ratio)
    {
        var scales = new float[inputs.Length];
        for (var column = 0; column < scales.Length; column++)
            scales[column] = Math.Max(1e-4f, MathF.Pow(inputs[column], ratio) / (MathF.Pow(weights[column], 1 - ratio) + 1e-4f));
        var middle = MathF.Sqrt(scales.Max() * scales.Min());
        for (var column = 0; column < scales.Length; column++)
            scales[column] /= middle;
        return scales;
    }

    /// <summary>The mean over all rows of all layers.</summary>
    private static float[] MeanWeights(List<Layer> layers)
    {
        var rows = layers.Sum(layer => layer.Rows);
        return [.. Enumerable.Range(0, layers[0].Grid.Columns).Select(column => (float)(layers.Sum(layer => layer.Shares[column]) / rows))];
    }

    private static double Loss(List<Layer> layers, float[]? scales, FeedbackFactor factor, int threads)
    {
        var total = 0.0;
        foreach (var layer in layers)
        {
            var pieces = new double[(layer.Sample.Count + FeedbackRounding.Lanes - 1) / FeedbackRounding.Lanes];
            Parallel.For(0, pieces.Length, new() { MaxDegreeOfParallelism = threads }, piece => pieces[piece] = Loss(layer, piece * FeedbackRounding.Lanes, scales, factor));
            total += pieces.Sum() * layer.Sample.RowsOfOne;
        }
        return total;
    }

    private static double Loss(Layer layer, int firstRow, float[]? scales, FeedbackFactor factor)
    {
        var columns = factor.Columns;
        var count = Math.Min(FeedbackRounding.Lanes, layer.Sample.Count - firstRow);
        var values = layer.Sample.Rows.AsSpan(firstRow * columns, count * columns);
        var scaled = new float[values.Length];
        for (var at = 0; at < scaled.Length; at++)
            scaled[at] = values[at] * (scales?[at % columns] ?? 1);
        var errors = new float[values.Length];
        layer.Round(scaled, errors);
        for (var at = 0; at < errors.Length; at++)
            errors[at] = values[at] - errors[at] / (scales?[at % columns] ?? 1);
        Span<float> objectives = stackalloc float[FeedbackRounding.Lanes];
        FeedbackRounding.Objectives(factor, errors, objectives);
        var sum = 0.0;
        foreach (var objective in objectives[..count])
            sum += objective;
        return sum;
    }

    /// <summary>A layer of a group.</summary>
    /// <param name="Shares">Σ over all its rows of |w| ÷ max|w| of the group.</param>
    private sealed record Layer(LayerSample Sample, IntegerGrid Grid, double[] Shares)
    {
        public double Rows => Sample.Count * Sample.RowsOfOne;

        public static Layer Read(SourceParameter parameter, IntegerGrid grid)
        {
            var shares = new double[grid.Columns];
            return new(LayerSample.Read(parameter.Open(), row => AddShares(row, grid.GroupLength, shares)), grid, shares);
        }

        public void Round(ReadOnlySpan<float> values, Span<float> decoded)
        {
            var groups = values.Length / Grid.Columns * ((Grid.Columns + Grid.GroupLength - 1) / Grid.GroupLength);
            var rows = new IntegerRows(Grid.Columns, Grid.GroupLength, new byte[values.Length], new float[groups], new byte[groups]);
            new NearestRounder(Grid).Round(values, rows);
            rows.Decode(decoded);
        }

        private static void AddShares(ReadOnlySpan<float> row, int groupLength, double[] shares)
        {
            for (var first = 0; first < row.Length; first += groupLength)
            {
                var group = row[first..Math.Min(row.Length, first + groupLength)];
                var largest = GroupQuantizer.Largest(group);
                for (var column = 0; column < group.Length && largest > 0; column++)
                    shares[first + column] += Math.Abs(group[column]) / largest;
            }
        }
    }
}

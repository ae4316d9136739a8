namespace Plimsoll.Quantization.Tests.HuggingFace.Folding;

/// <summary>AWQ as AutoAWQ computes it (quantizer.py): the scales by a grid over a power of the mean activations, the ranges by a second one. On the inputs themselves, in double precision.</summary>
internal static class PublishedAwq
{
    private const int Highest = 15;

    /// <summary>The scales of layers that share inputs.</summary>
    /// <param name="layers">(rows, columns) each.</param>
    /// <param name="storable">What a scale becomes when the parameter before is divided by it.</param>
    public static double[] Scales(float[][] layers, float[] inputs, int columns, int group, Func<double, double> storable)
    {
        var means = Enumerable.Range(0, columns).Select(column => Enumerable.Range(0, inputs.Length / columns).Average(input => Math.Abs((double)inputs[input * columns + column]))).ToArray();
        var shares = new double[columns];
        foreach (var layer in layers)
        {
            for (var at = 0; at < layer.Length; at++)
                shares[at % columns] += Math.Abs(layer[at]) / layer[(at / group * group)..(at / group * group + group)].Max(Math.Abs);
        }
        var rows = layers.Sum(layer => layer.Length / columns);
        var (best, least) = (Enumerable.Repeat(1.0, columns).ToArray(), double.PositiveInfinity);
        for (var point = -1; point < 20; point++)
        {
            var ratio = point / 20.0;
            var scales = point < 0 ? best : [.. means.Select((mean, column) => Math.Max(1e-4, Math.Pow(mean, ratio) / (Math.Pow(shares[column] / rows, 1 - ratio) + 1e-4)))];
            var middle = Math.Sqrt(scales.Max() * scales.Min());
            scales = [.. scales.Select(scale => scale / middle)];
            var loss = layers.Sum(layer => Loss(layer, scales, inputs, columns, group));
            if (loss < least)
                (best, least) = (scales, loss);
        }
        return [.. best.Select(storable)];
    }

    /// <summary>The codes of one row of a layer whose columns are multiplied already, each group cut to the best of ten shares of its range.</summary>
    /// <param name="isCut">False for queries and keys.</param>
    public static int[] Codes(double[] row, double[][] inputs, int group, bool isCut)
    {
        var codes = new int[row.Length];
        for (var first = 0; first < row.Length; first += group)
        {
            var weights = row[first..(first + group)];
            var largest = weights.Max(Math.Abs);
            var least = double.PositiveInfinity;
            for (var step = 0; step < (isCut ? 10 : 1); step++)
            {
                var limit = largest * (1 - step / 20.0);
                var (chosen, values) = Nearest([.. weights.Select(weight => Math.Clamp(weight, -limit, limit))]);
                var error = inputs.Sum(input => Math.Pow(Enumerable.Range(0, group).Sum(column => input[first + column] * (weights[column] - values[column])), 2));
                if (error >= least)
                    continue;
                least = error;
                chosen.CopyTo(codes, first);
            }
        }
        return codes;
    }

    private static double Loss(float[] layer, double[] scales, float[] inputs, int columns, int group)
    {
        var loss = 0.0;
        for (var row = 0; row < layer.Length; row += columns)
        {
            var errors = new double[columns];
            for (var first = 0; first < columns; first += group)
            {
                var (_, values) = Nearest([.. Enumerable.Range(first, group).Select(column => layer[row + column] * scales[column])]);
                for (var column = first; column < first + group; column++)
                    errors[column] = layer[row + column] - values[column - first] / scales[column];
            }
            for (var input = 0; input < inputs.Length; input += columns)
            {
                var sum = 0.0;
                for (var column = 0; column < columns; column++)
                    sum += inputs[input + column] * errors[column];
                loss += sum * sum;
            }
        }
        return loss;
    }

    /// <summary>Round to nearest with a zero point, the scale in half precision.</summary>
    private static (int[] Codes, double[] Values) Nearest(double[] weights)
    {
        var (minimum, maximum) = (Math.Min(0, weights.Min()), Math.Max(0, weights.Max()));
        var scale = (double)(Half)((maximum - minimum) / Highest);
        var zero = (int)Math.Clamp(Math.Round(-minimum / scale), 0, Highest);
        int[] codes = [.. weights.Select(weight => (int)Math.Clamp(Math.Round(weight / scale) + zero, 0, Highest))];
        return (codes, [.. codes.Select(code => scale * (code - zero))]);
    }
}

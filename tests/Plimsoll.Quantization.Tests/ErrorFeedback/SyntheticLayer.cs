namespace Plimsoll.Quantization.Tests.ErrorFeedback;

/// <summary>A linear layer, inputs that a text has shown, and others of the same kind.</summary>
internal static class SyntheticLayer
{
    private const int Inputs = 400;

    /// <returns>(rows, columns) weights and (inputs, columns) inputs.</returns>
    public static (float[] Weights, float[] Seen, float[] Unseen) Create(int rows, int columns)
    {
        var random = new Random(11);
        var weights = Numbers(random, rows * columns);
        // A few directions carry most of the variance, as in real activations.
        var mixing = Numbers(random, columns * columns);
        return (weights, Correlated(random, mixing, columns), Correlated(random, mixing, columns));
    }

    /// <summary>The mean square of each column.</summary>
    public static float[] MeanSquares(float[] inputs, int columns) =>
        [.. Enumerable.Range(0, columns).Select(column => Enumerable.Range(0, inputs.Length / columns).Sum(input => inputs[input * columns + column] * inputs[input * columns + column]) / (inputs.Length / columns))];

    /// <summary>Σ xᵀx.</summary>
    public static double[,] Gram(float[] inputs, int columns)
    {
        var gram = new double[columns, columns];
        for (var input = 0; input < inputs.Length; input += columns)
        {
            for (var i = 0; i < columns; i++)
            {
                for (var j = 0; j < columns; j++)
                    gram[i, j] += (double)inputs[input + i] * inputs[input + j];
            }
        }
        return gram;
    }

    /// <summary>Σ |e · x|² over rows and inputs.</summary>
    public static double OutputError(ReadOnlySpan<float> weights, ReadOnlySpan<float> decoded, float[] inputs, int columns)
    {
        var total = 0.0;
        for (var row = 0; row < weights.Length; row += columns)
        {
            for (var input = 0; input < inputs.Length; input += columns)
            {
                var sum = 0.0;
                for (var column = 0; column < columns; column++)
                    sum += (weights[row + column] - decoded[row + column]) * inputs[input + column];
                total += sum * sum;
            }
        }
        return total;
    }

    private static float[] Correlated(Random random, float[] mixing, int columns)
    {
        var inputs = new float[Inputs * columns];
        for (var input = 0; input < Inputs; input++)
        {
            var factors = Enumerable.Range(0, columns).Select(k => (float)(random.NextDouble() - 0.5) / (k + 1)).ToArray();
            for (var column = 0; column < columns; column++)
            {
                var sum = 0f;
                for (var k = 0; k < columns; k++)
                    sum += mixing[column * columns + k] * factors[k];
                inputs[input * columns + column] = sum;
            }
        }
        return inputs;
    }

    private static float[] Numbers(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => (float)(random.NextDouble() + random.NextDouble() + random.NextDouble() - 1.5))];
}

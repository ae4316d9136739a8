namespace Plimsoll.Quantization.Tests.Gguf;

/// <summary>The arithmetic of transformers on one vector at a time, in FP64, written from the formulas.</summary>
internal static class ReferenceMath
{
    public static double[] RmsNorm(double[] x, float[] weight, double epsilon, double addend = 0)
    {
        var scale = 1 / Math.Sqrt(x.Sum(value => value * value) / x.Length + epsilon);
        return [.. x.Select((value, index) => value * scale * (weight[index] + addend))];
    }

    public static double[] LayerNorm(double[] x, ReadOnlySpan<float> weight, ReadOnlySpan<float> bias, double epsilon)
    {
        var mean = x.Average();
        var scale = 1 / Math.Sqrt(x.Sum(value => (value - mean) * (value - mean)) / x.Length + epsilon);
        var result = new double[x.Length];
        for (var index = 0; index < x.Length; index++)
            result[index] = (x[index] - mean) * scale * weight[index] + (bias.IsEmpty ? 0 : bias[index]);
        return result;
    }

    /// <summary>weight (out, in) times x.</summary>
    public static double[] Multiply(ReadOnlySpan<float> weight, double[] x)
    {
        var result = new double[weight.Length / x.Length];
        for (var row = 0; row < result.Length; row++)
        {
            var sum = 0.0;
            for (var column = 0; column < x.Length; column++)
                sum += weight[row * x.Length + column] * x[column];
            result[row] = sum;
        }
        return result;
    }

    public static double[] Add(double[] left, double[] right, double scale = 1) => [.. left.Zip(right, (a, b) => a + scale * b)];

    /// <summary>Rotates the first <paramref name="rotated"/> elements of a head: element j with j + rotated/2, or neighbours.</summary>
    /// <param name="divisor">What the frequency of a pair is divided by; null for 1.</param>
    public static double[] Rotate(double[] head, int position, double theta, int rotated, bool neighbours = false, Func<int, double>? divisor = null)
    {
        var result = (double[])head.Clone();
        for (var pair = 0; pair < rotated / 2; pair++)
        {
            var angle = position * Math.Pow(theta, -2.0 * pair / rotated) / (divisor?.Invoke(pair) ?? 1);
            var (a, b) = neighbours ? (2 * pair, 2 * pair + 1) : (pair, pair + rotated / 2);
            result[a] = head[a] * Math.Cos(angle) - head[b] * Math.Sin(angle);
            result[b] = head[a] * Math.Sin(angle) + head[b] * Math.Cos(angle);
        }
        return result;
    }

    /// <summary>Causal attention of one query head over the positions up to its own.</summary>
    /// <param name="cap">Scores are capped softly at this; 0 for none.</param>
    /// <param name="sink">A score without a value that takes part in the softmax; null for none.</param>
    public static double[] Attend(double[] query, IReadOnlyList<double[]> keys, IReadOnlyList<double[]> values, double scale, double cap = 0, double? sink = null)
    {
        var scores = keys.Select(key => query.Zip(key, (a, b) => a * b).Sum() * scale).Select(score => cap > 0 ? cap * Math.Tanh(score / cap) : score).ToArray();
        var most = Math.Max(scores.Max(), sink ?? double.NegativeInfinity);
        var exponentials = scores.Select(score => Math.Exp(score - most)).ToArray();
        var total = exponentials.Sum() + (sink is { } value ? Math.Exp(value - most) : 0);
        var result = new double[values[0].Length];
        for (var index = 0; index < exponentials.Length; index++)
            result = Add(result, values[index], exponentials[index] / total);
        return result;
    }

    public static double[] Softmax(double[] x)
    {
        var exponentials = x.Select(value => Math.Exp(value - x.Max())).ToArray();
        return [.. exponentials.Select(value => value / exponentials.Sum())];
    }

    public static double Silu(double x) => x / (1 + Math.Exp(-x));

    /// <summary>The tanh form, which llama.cpp takes for the exact one too.</summary>
    public static double Gelu(double x) => 0.5 * x * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
}

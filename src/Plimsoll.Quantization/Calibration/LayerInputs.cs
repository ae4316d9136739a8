using Plimsoll.Quantization.ErrorFeedback;

namespace Plimsoll.Quantization.Calibration;

/// <summary>What a text has shown of the inputs x of a linear layer, per column.</summary>
/// <param name="MeanSquares">The mean of x².</param>
/// <param name="MeanMagnitudes">The mean of |x|.</param>
/// <param name="LargestMagnitudes">The largest |x|.</param>
/// <param name="Factor">How errors of columns make up for each other; null where products of columns were not kept, or are no finite numbers.</param>
public sealed record LayerInputs(ReadOnlyMemory<float> MeanSquares, ReadOnlyMemory<float> MeanMagnitudes, ReadOnlyMemory<float> LargestMagnitudes, FeedbackFactor? Factor)
{
    /// <summary>Of the statistics, which lose their Gram matrix on the way.</summary>
    public static LayerInputs Of(InputStatistics seen, int threads)
    {
        var factor = seen.Gram.IsEmpty ? null : FeedbackFactor.Create(seen.Gram, seen.Columns, threads);
        seen.ReleaseGram();
        return new(Means(seen.Squares, seen.Count), Means(seen.Magnitudes, seen.Count), seen.Largest.ToArray(), factor);
    }

    /// <summary>The same of inputs that are divided by <paramref name="scales"/>, one per column.</summary>
    public LayerInputs Divided(ReadOnlySpan<float> scales) => new(
        Divided(Divided(MeanSquares, scales), scales), Divided(MeanMagnitudes, scales), Divided(LargestMagnitudes, scales), Factor?.Divided(scales));

    private static float[] Divided(ReadOnlyMemory<float> values, ReadOnlySpan<float> scales)
    {
        var divided = new float[values.Length];
        for (var column = 0; column < divided.Length; column++)
            divided[column] = values.Span[column] / scales[column];
        return divided;
    }

    private static float[] Means(ReadOnlySpan<double> sums, long count)
    {
        var means = new float[sums.Length];
        for (var column = 0; column < means.Length; column++)
            means[column] = (float)(sums[column] / count);
        return means;
    }
}

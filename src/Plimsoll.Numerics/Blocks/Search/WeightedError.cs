namespace Plimsoll.Numerics.Blocks.Search;

/// <summary>What the best mode makes small: Σ importance · (value − decoded)², with importance 1 where there is none.</summary>
internal static class WeightedError
{
    public static double Of(ReadOnlySpan<float> values, ReadOnlySpan<float> decoded, ReadOnlySpan<float> importance)
    {
        var sum = 0.0;
        for (var i = 0; i < values.Length; i++)
        {
            double difference = values[i] - decoded[i];
            sum += (importance.IsEmpty ? 1 : importance[i]) * difference * difference;
        }
        return sum;
    }
}

namespace Plimsoll.Diagnostics.Growth;

/// <summary>Falls of a series back to its base: garbage collection, the end of a job or a request.</summary>
internal static class Resets
{
    /// <summary>A fall of this share of the whole range, from the highest point since the last one, is a reset.</summary>
    private const double Depth = 0.3;

    /// <summary>A new cycle begins when it has risen again by this share of the range.</summary>
    private const double Rise = 0.15;

    public static int Count(ReadOnlySpan<double> bytes)
    {
        double low = double.MaxValue, high = double.MinValue;
        foreach (var value in bytes)
            (low, high) = (Math.Min(low, value), Math.Max(high, value));
        var range = high - low;
        if (range <= 0)
            return 0;
        var resets = 0;
        var (rising, extreme) = (true, bytes[0]);
        foreach (var value in bytes)
        {
            if (rising)
            {
                extreme = Math.Max(extreme, value);
                if (extreme - value >= Depth * range)
                    (rising, extreme, resets) = (false, value, resets + 1);
            }
            else
            {
                extreme = Math.Min(extreme, value);
                if (value - extreme >= Rise * range)
                    (rising, extreme) = (true, value);
            }
        }
        return resets;
    }
}

namespace Plimsoll.Diagnostics.Growth;

/// <summary>Falls of a series back to its base: garbage collection, the end of a job or a request.</summary>
internal static class Resets
{
    /// <summary>A fall of this share of the whole range, from the highest point since the last one, is a reset.</summary>
    private const double Depth = 0.3;

    /// <summary>A new cycle begins when it has risen again by this share of the range.</summary>
    private const double Rise = 0.15;

    /// <summary>A sharp fall is so many times the usual change. Of normal steps one in 10^7 is.</summary>
    private const double Sharpness = 8;

    /// <summary>And at least this share of the whole range.</summary>
    private const double SharpShare = 0.02;

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

    /// <summary>Where a sharp fall ends: one that is far larger than what changes from sample to sample. A walk has none, whatever way it goes.</summary>
    public static List<int> SharpFalls(ReadOnlySpan<double> bytes)
    {
        var lows = new List<int>();
        if (bytes.Length < 3)
            return lows;
        var changes = new List<double>(bytes.Length - 1);
        double low = bytes[0], high = bytes[0];
        for (var index = 1; index < bytes.Length; index++)
        {
            changes.Add(Math.Abs(bytes[index] - bytes[index - 1]));
            (low, high) = (Math.Min(low, bytes[index]), Math.Max(high, bytes[index]));
        }
        changes.Sort();
        var sharp = Math.Max(Sharpness * Trend.Median(changes), SharpShare * (high - low));
        for (var index = 1; index < bytes.Length; index++)
        {
            if (bytes[index - 1] - bytes[index] <= sharp)
                continue;
            // A fall may take several samples.
            while (index + 1 < bytes.Length && bytes[index + 1] < bytes[index])
                index++;
            lows.Add(index);
        }
        return lows;
    }
}

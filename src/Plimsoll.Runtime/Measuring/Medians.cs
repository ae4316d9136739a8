namespace Plimsoll.Runtime.Measuring;

/// <summary>Rates from repeated runs: the median, which one disturbed run does not move.</summary>
internal static class Medians
{
    /// <summary><paramref name="amount"/> per second; the first run warms up and does not count.</summary>
    public static double Rate(double amount, int rounds, TimeProvider time, Action run)
    {
        run();
        var seconds = new double[rounds];
        for (var round = 0; round < rounds; round++)
        {
            var start = time.GetTimestamp();
            run();
            seconds[round] = time.GetElapsedTime(start).TotalSeconds;
        }
        Array.Sort(seconds);
        return amount / Math.Max(seconds[rounds / 2], 1e-9);
    }
}

namespace Plimsoll.Numerics.Benchmarks;

/// <summary>Contestants that do the same work, timed in turns so that a slow moment of the machine hits all of them.</summary>
/// <remarks>Each turn has a fresh thread: SSE code is slow where vector code left something in the upper halves of the registers.</remarks>
internal static class Interleaved
{
    private const int Rounds = 15;

    /// <summary>Long enough that the clock and a first cold cache do not count.</summary>
    private const double RoundSeconds = 0.008;

    /// <summary>Seconds of one run of each contestant: the median over the rounds.</summary>
    public static double[] Medians(params Action[] contestants)
    {
        var repeats = contestants.Select(Repeats).ToArray();
        var times = contestants.Select(_ => new double[Rounds]).ToArray();
        for (var round = 0; round < Rounds; round++)
        {
            for (var i = 0; i < contestants.Length; i++)
                times[i][round] = Run(contestants[i], repeats[i]) / repeats[i];
        }
        return [.. times.Select(Median)];
    }

    /// <summary>How often a contestant must run to fill a round, after it ran long enough to be compiled for good.</summary>
    private static int Repeats(Action contestant)
    {
        for (var warm = 0.0; warm < 0.2;)
            warm += Run(contestant, 30);
        return Math.Max(1, (int)Math.Ceiling(RoundSeconds * 30 / Run(contestant, 30)));
    }

    private static double Run(Action contestant, int times)
    {
        var seconds = 0.0;
        var turn = new Thread(() =>
        {
            var start = ThreadClock.Seconds();
            for (var i = 0; i < times; i++)
                contestant();
            seconds = ThreadClock.Seconds() - start;
        });
        turn.Start();
        turn.Join();
        return seconds;
    }

    private static double Median(double[] values)
    {
        Array.Sort(values);
        return values[values.Length / 2];
    }
}

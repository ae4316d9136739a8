namespace Plimsoll.Numerics.Linear;

/// <summary>A fixed number of threads that work on one thing at a time.</summary>
public sealed class ComputePool(int threads)
{
    /// <summary>A pool of one: the caller.</summary>
    public static ComputePool Single { get; } = new(1);

    public int Threads { get; } = threads > 0 ? threads : throw new ArgumentOutOfRangeException(nameof(threads));

    /// <summary>Runs <paramref name="body"/> for the ranges [from, to) that cut [0, count), each a multiple of <paramref name="grain"/> long but the last.</summary>
    public void For(int count, int grain, Action<int, int> body)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(grain, 1);
        if (Threads == 1 || count <= grain)
        {
            if (count > 0)
                body(0, count);
            return;
        }
        var pieces = (count + grain - 1) / grain;
        Parallel.For(0, pieces, new ParallelOptions { MaxDegreeOfParallelism = Threads }, piece => body(piece * grain, Math.Min(count, (piece + 1) * grain)));
    }
}

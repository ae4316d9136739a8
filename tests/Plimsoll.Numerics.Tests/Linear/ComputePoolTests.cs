using Plimsoll.Numerics.Linear;

namespace Plimsoll.Numerics.Tests.Linear;

public sealed class ComputePoolTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Every_index_is_visited_once(int threads)
    {
        using var pool = new ComputePool(threads);
        var visits = new int[1003];
        for (var round = 0; round < 50; round++)
        {
            pool.For(visits.Length, 7, (from, to) =>
            {
                for (var i = from; i < to; i++)
                    Interlocked.Increment(ref visits[i]);
            });
        }
        Assert.All(visits, count => Assert.Equal(50, count));
    }

    [Fact]
    public void Ranges_are_multiples_of_the_grain()
    {
        using var pool = new ComputePool(2);
        var ranges = new List<(int, int)>();
        pool.For(10, 4, (from, to) =>
        {
            lock (ranges)
                ranges.Add((from, to));
        });
        Assert.Equal([(0, 4), (4, 8), (8, 10)], ranges.Order());
    }

    [Fact]
    public void An_exception_of_any_thread_reaches_the_caller_and_the_pool_goes_on()
    {
        using var pool = new ComputePool(3);
        for (var round = 0; round < 20; round++)
        {
            var failure = Assert.Throws<InvalidDataException>(() => pool.For(100, 1, (from, _) => throw new InvalidDataException($"piece {from}")));
            Assert.StartsWith("piece", failure.Message, StringComparison.Ordinal);
        }
        var sum = 0;
        pool.For(100, 1, (from, _) => Interlocked.Add(ref sum, from));
        Assert.Equal(4950, sum);
    }

    [Fact]
    public void A_call_from_within_a_body_runs_on_its_thread()
    {
        using var pool = new ComputePool(2);
        var inner = 0;
        pool.For(4, 1, (_, _) => pool.For(10, 1, (from, to) => Interlocked.Add(ref inner, to - from)));
        Assert.Equal(40, inner);
    }

    [Fact]
    public void A_parked_pool_wakes()
    {
        using var pool = new ComputePool(2);
        using var bothArrived = new Barrier(2);
        for (var round = 0; round < 3; round++)
        {
            Thread.Yield();
            // Each piece waits for the other: the call ends only when the second thread takes one.
            pool.For(2, 1, (_, _) => bothArrived.SignalAndWait());
        }
        Assert.Equal(3, bothArrived.CurrentPhaseNumber);
    }

    [Fact]
    public void A_disposed_pool_takes_no_more_work()
    {
        var pool = new ComputePool(2);
        pool.Dispose();
        Assert.Throws<ObjectDisposedException>(() => pool.For(10, 1, (_, _) => { }));
    }
}

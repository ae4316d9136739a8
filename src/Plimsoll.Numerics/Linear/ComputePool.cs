using System.Diagnostics;
using System.Runtime.ExceptionServices;

namespace Plimsoll.Numerics.Linear;

/// <summary>A fixed number of threads, the caller among them, that work on one thing at a time.</summary>
/// <remarks>
/// A worker without work spins for a moment, since the next product of a model follows within microseconds, and then parks: spinning for ever collapses
/// as soon as somebody else wants the core. Pieces are handed out as threads come for them, so a thread that is held up delays no more than its piece;
/// which thread takes a piece never changes a result.
/// </remarks>
public sealed class ComputePool : IDisposable
{
    private static readonly long SpinTicks = Stopwatch.Frequency / 10_000; // 100 µs

    [ThreadStatic]
    private static bool isWorking;

    private readonly Thread[] workers;
    private readonly Lock oneAtATime = new();
    private readonly object parking = new();
    private ComputeJob? current;
    private int parked;
    private volatile bool stopping;

    /// <param name="threads">At least 1; one of them is the caller of <see cref="For"/>.</param>
    public ComputePool(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        Threads = threads;
        workers = new Thread[threads - 1];
        for (var i = 0; i < workers.Length; i++)
        {
            workers[i] = new Thread(Work) { IsBackground = true, Name = $"compute {i + 1}" };
            workers[i].Start();
        }
    }

    /// <summary>A pool of one: the caller.</summary>
    public static ComputePool Single { get; } = new(1);

    public int Threads { get; }

    /// <summary>Runs <paramref name="body"/> for the ranges [from, to) that cut [0, count), each a multiple of <paramref name="grain"/> long but the last.</summary>
    /// <remarks>The first exception of a piece stops the handing out of others and is thrown here. A call from within a body runs on its thread alone.</remarks>
    public void For(int count, int grain, Action<int, int> body)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(grain, 1);
        if (count <= 0)
            return;
        if (Threads == 1 || count <= grain || isWorking)
        {
            body(0, count);
            return;
        }
        ObjectDisposedException.ThrowIf(stopping, this);
        lock (oneAtATime)
        {
            var job = new ComputeJob(body, count, grain);
            Volatile.Write(ref current, job);
            Interlocked.MemoryBarrier();
            if (Volatile.Read(ref parked) > 0)
            {
                lock (parking)
                    Monitor.PulseAll(parking);
            }
            Join(job);
            job.WaitForOthers(SpinTicks);
            Volatile.Write(ref current, null);
            job.Failure?.Throw();
        }
    }

    public void Dispose()
    {
        if (Threads == 1)
            return;
        stopping = true;
        lock (parking)
            Monitor.PulseAll(parking);
        foreach (var worker in workers)
            worker.Join();
    }

    private static void Join(ComputeJob job)
    {
        isWorking = true;
        job.TakePieces();
        isWorking = false;
    }

    private void Work()
    {
        ComputeJob? last = null;
        while (!stopping)
        {
            var job = Next(last);
            if (job is null)
                continue;
            Join(job);
            last = job;
        }
    }

    /// <summary>A job other than the last one; null after a wait that may have been for nothing.</summary>
    private ComputeJob? Next(ComputeJob? last)
    {
        var start = Stopwatch.GetTimestamp();
        do
        {
            var job = Volatile.Read(ref current);
            if (job is not null && job != last)
                return job;
            Thread.SpinWait(20);
        }
        while (Stopwatch.GetTimestamp() - start < SpinTicks);

        lock (parking)
        {
            // The count goes up before the last look: a caller either sees it or has set the job that this look sees.
            Interlocked.Increment(ref parked);
            var job = Volatile.Read(ref current);
            if ((job is null || job == last) && !stopping)
                Monitor.Wait(parking);
            Interlocked.Decrement(ref parked);
        }
        return null;
    }

    /// <summary>One call of <see cref="For"/>. Threads that come late find no piece and touch nothing else.</summary>
    private sealed class ComputeJob(Action<int, int> body, int count, int grain)
    {
        private readonly int pieces = (int)(((long)count + grain - 1) / grain);
        private int next = -1;
        private int finished;
        private ExceptionDispatchInfo? failure;

        public ExceptionDispatchInfo? Failure => failure;

        public void TakePieces()
        {
            for (var piece = Interlocked.Increment(ref next); piece < pieces; piece = Interlocked.Increment(ref next))
            {
                try
                {
                    var from = (long)piece * grain;
                    if (Volatile.Read(ref failure) is null)
                        body((int)from, (int)Math.Min(count, from + grain));
                }
                catch (Exception exception)
                {
                    Interlocked.CompareExchange(ref failure, ExceptionDispatchInfo.Capture(exception), null);
                }
                if (Interlocked.Increment(ref finished) == pieces)
                {
                    lock (this)
                        Monitor.PulseAll(this);
                }
            }
        }

        public void WaitForOthers(long spinTicks)
        {
            var start = Stopwatch.GetTimestamp();
            while (Volatile.Read(ref finished) < pieces && Stopwatch.GetTimestamp() - start < spinTicks)
                Thread.SpinWait(20);
            if (Volatile.Read(ref finished) == pieces)
                return;
            lock (this)
            {
                while (Volatile.Read(ref finished) < pieces)
                    Monitor.Wait(this);
            }
        }
    }
}

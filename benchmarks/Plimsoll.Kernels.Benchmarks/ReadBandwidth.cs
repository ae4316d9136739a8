using System.Diagnostics;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Plimsoll.Numerics.Benchmarks;
using Plimsoll.Numerics.Linear;

namespace Plimsoll.Kernels.Benchmarks;

/// <summary>How fast memory can be read: the ceiling of a product with one column of inputs.</summary>
internal static unsafe class ReadBandwidth
{
    private const int MiB = 1 << 20;
    private const int SizeMiB = 1024;

    /// <summary>Bytes per second, the median of five reads of 1 GiB.</summary>
    public static double Measure(int threads)
    {
        using var pool = new ComputePool(threads);
        var memory = (byte*)NativeMemory.AlignedAlloc((nuint)SizeMiB * MiB, 4096);
        new Span<byte>(memory, SizeMiB * (MiB - 1)).Fill(1);
        var times = new double[5];
        for (var round = 0; round < times.Length; round++)
        {
            var start = Seconds(threads);
            pool.For(SizeMiB, 4, (from, to) => Volatile.Write(ref sink, Sum(memory + (long)from * MiB, (long)(to - from) * MiB)));
            times[round] = Seconds(threads) - start;
        }
        NativeMemory.AlignedFree(memory);
        return (double)SizeMiB * MiB / times.Order().ElementAt(times.Length / 2);
    }

    /// <summary>As the products are timed: processor time of a single thread, the wall clock for more.</summary>
    private static double Seconds(int threads) => threads == 1 ? ThreadClock.Seconds() : Stopwatch.GetTimestamp() / (double)Stopwatch.Frequency;

    private static int sink;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int Sum(byte* memory, long bytes)
    {
        var (a, b, c, d) = (Vector<int>.Zero, Vector<int>.Zero, Vector<int>.Zero, Vector<int>.Zero);
        var step = 4 * Vector<byte>.Count;
        for (long i = 0; i < bytes; i += step)
        {
            a += Vector.Load((int*)(memory + i));
            b += Vector.Load((int*)(memory + i + Vector<byte>.Count));
            c += Vector.Load((int*)(memory + i + 2 * Vector<byte>.Count));
            d += Vector.Load((int*)(memory + i + 3 * Vector<byte>.Count));
        }
        return Vector.Sum(a + b + (c + d));
    }
}

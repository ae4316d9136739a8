using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Plimsoll.Numerics.Linear;

namespace Plimsoll.Runtime.Measuring;

/// <summary>How fast this machine reads memory: the ceiling of decoding, which reads every weight for every token.</summary>
public static unsafe class ReadBandwidth
{
    private const int MiB = 1 << 20;

    private static int sink;

    /// <summary>Bytes per second, the median of <paramref name="rounds"/> reads of a buffer larger than any cache.</summary>
    /// <param name="bufferMiB">Mebibytes that are allocated and read.</param>
    public static double Measure(ComputePool pool, TimeProvider time, int bufferMiB = 512, int rounds = 5)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bufferMiB, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(rounds, 1);
        var memory = (byte*)NativeMemory.AlignedAlloc((nuint)bufferMiB * MiB, 4096);
        try
        {
            // Pages that were never written are all the same page.
            for (var block = 0; block < bufferMiB; block++)
                new Span<byte>(memory + (long)block * MiB, MiB).Fill(1);
            return Medians.Rate((double)bufferMiB * MiB, rounds, time,
                () => pool.For(bufferMiB, 4, (from, to) => Volatile.Write(ref sink, Sum(memory + (long)from * MiB, (long)(to - from) * MiB))));
        }
        finally
        {
            NativeMemory.AlignedFree(memory);
        }
    }

    /// <summary>Four sums at a time, so that the additions do not wait for each other.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int Sum(byte* memory, long bytes)
    {
        var (a, b, c, d) = (Vector<int>.Zero, Vector<int>.Zero, Vector<int>.Zero, Vector<int>.Zero);
        var step = 4 * Vector<byte>.Count;
        for (long at = 0; at < bytes; at += step)
        {
            a += Vector.Load((int*)(memory + at));
            b += Vector.Load((int*)(memory + at + Vector<byte>.Count));
            c += Vector.Load((int*)(memory + at + 2 * Vector<byte>.Count));
            d += Vector.Load((int*)(memory + at + 3 * Vector<byte>.Count));
        }
        return Vector.Sum(a + b + (c + d));
    }
}

using System.Runtime.InteropServices;
using Plimsoll.Quantization.Output;

namespace Plimsoll.Quantization.Running;

/// <summary>One block of native memory that holds the outputs of the job being encoded and of the one being written.</summary>
/// <remarks>Jobs take turns at its two ends; whoever rents sees to it that both fit. Pages that are never touched cost nothing.</remarks>
internal sealed unsafe class OutputArena(long capacity) : IDisposable
{
    /// <summary>Outputs begin at whole cache lines.</summary>
    private const int Alignment = 64;

    private byte* start = (byte*)NativeMemory.AlignedAlloc((nuint)Math.Max(Alignment, capacity), Alignment);

    public long Capacity { get; } = capacity;

    /// <summary>Bytes that the outputs of a job take in an arena.</summary>
    public static long BytesFor(WeightJob job) => job.Outputs.Sum(output => checked((output.Bytes + Alignment - 1) / Alignment * Alignment));

    /// <summary>The memory for the outputs of a job, filled with zeros.</summary>
    /// <param name="atEnd">At the end of the arena; else at its start.</param>
    public OutputBuffers Rent(WeightJob job, bool atEnd, int threads)
    {
        var bytes = BytesFor(job);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes, Capacity);
        var first = start + (atEnd ? Capacity - bytes : 0);
        // The source of zeros is memory bandwidth, which one core does not exhaust.
        var slice = Math.Max(1 << 20, (bytes + threads - 1) / threads);
        Parallel.For(0, (int)((bytes + slice - 1) / slice), new() { MaxDegreeOfParallelism = threads },
            index => NativeMemory.Clear(first + index * slice, (nuint)Math.Min(slice, bytes - index * slice)));
        return new Buffers(first, [.. job.Outputs.Select(output => output.Bytes)]);
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(start);
        start = null;
    }

    private sealed class Buffers : OutputBuffers
    {
        private readonly byte* first;
        private readonly long[] lengths;
        private readonly long[] offsets;

        public Buffers(byte* first, long[] lengths)
        {
            this.first = first;
            this.lengths = lengths;
            offsets = new long[lengths.Length];
            for (var i = 1; i < lengths.Length; i++)
                offsets[i] = offsets[i - 1] + (lengths[i - 1] + Alignment - 1) / Alignment * Alignment;
        }

        public override Span<byte> Range(int index, long offset, int length)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(offset);
            ArgumentOutOfRangeException.ThrowIfNegative(length);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(offset + length, lengths[index], nameof(length));
            return new(first + offsets[index] + offset, length);
        }
    }
}

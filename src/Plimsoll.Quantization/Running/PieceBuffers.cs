using System.Runtime.InteropServices;

namespace Plimsoll.Quantization.Running;

/// <summary>For each thread a piece of weights and what they are decoded to, in native memory.</summary>
internal sealed unsafe class PieceBuffers(int threads, int floats) : IDisposable
{
    private float* memory = (float*)NativeMemory.AlignedAlloc((nuint)Math.Max(64, BytesFor(threads, floats)), 64);

    /// <summary>Bytes of the buffers of all threads.</summary>
    public static long BytesFor(int threads, int floats) => checked(threads * 2L * Padded(floats) * sizeof(float));

    public Span<float> Values(int thread, int length) => new(memory + 2L * thread * Padded(floats), length);

    public Span<float> Decoded(int thread, int length) => new(memory + (2L * thread + 1) * Padded(floats), length);

    public void Dispose()
    {
        NativeMemory.AlignedFree(memory);
        memory = null;
    }

    /// <summary>Whole cache lines, so that threads do not write to the same one.</summary>
    private static long Padded(int floats) => (floats + 15L) / 16 * 16;
}

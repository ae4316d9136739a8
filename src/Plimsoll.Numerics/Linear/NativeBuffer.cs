using System.Runtime.InteropServices;

namespace Plimsoll.Numerics.Linear;

/// <summary>Zeroed memory outside the managed heap, aligned to a cache line: weights may exceed the 2 GiB of an array, and kernels want addresses that stay.</summary>
internal sealed unsafe class NativeBuffer : IDisposable
{
    private const int CacheLine = 64;

    private byte* address;

    /// <exception cref="OutOfMemoryException">The system has not that much.</exception>
    public NativeBuffer(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        Bytes = bytes;
        address = (byte*)NativeMemory.AlignedAlloc((nuint)Math.Max(bytes, 1), CacheLine);
        NativeMemory.Clear(address, (nuint)bytes);
    }

    ~NativeBuffer() => Free();

    public long Bytes { get; }

    public byte* Address
    {
        get
        {
            ObjectDisposedException.ThrowIf(address is null, this);
            return address;
        }
    }

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        if (address is null)
            return;
        NativeMemory.AlignedFree(address);
        address = null;
    }
}

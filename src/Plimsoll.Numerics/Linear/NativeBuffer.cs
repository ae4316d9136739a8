using System.Runtime.InteropServices;

namespace Plimsoll.Numerics.Linear;

/// <summary>Zeroed memory outside the managed heap, aligned to a cache line: weights may exceed the 2 GiB of an array, and kernels want addresses that stay.</summary>
/// <remarks>
/// Linux is asked to back large buffers by pages of 2 MiB (<c>madvise(2)</c>, MADV_HUGEPAGE): a product with one column reads all weights once, and with
/// pages of 4 KiB it waits for the page table as much as for memory. Only whole large pages inside the buffer are asked for, so it takes no more memory.
/// </remarks>
internal sealed unsafe partial class NativeBuffer : IDisposable
{
    private const int CacheLine = 64;
    private const int LargePage = 2 << 20;

    /// <summary>MADV_HUGEPAGE of Linux.</summary>
    private const int AdviseLargePages = 14;

    private byte* address;

    /// <exception cref="OutOfMemoryException">The system has not that much.</exception>
    public NativeBuffer(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        Bytes = bytes;
        var isLarge = bytes >= LargePage && OperatingSystem.IsLinux();
        address = (byte*)NativeMemory.AlignedAlloc((nuint)Math.Max(bytes, 1), isLarge ? LargePage : (nuint)CacheLine);
        // Advice only: where it is refused, the buffer has small pages.
        if (isLarge)
            _ = Advise(address, (nuint)(bytes - bytes % LargePage), AdviseLargePages);
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

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* address, nuint length, int advice);

    private void Free()
    {
        if (address is null)
            return;
        NativeMemory.AlignedFree(address);
        address = null;
    }
}

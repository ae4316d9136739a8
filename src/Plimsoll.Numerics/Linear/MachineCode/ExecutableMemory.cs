using System.Runtime.InteropServices;

namespace Plimsoll.Numerics.Linear.MachineCode;

/// <summary>Machine code where it can be run: written once, then readable and executable, never both writable and executable. It stays until the process ends.</summary>
internal static unsafe partial class ExecutableMemory
{
    // Linux, <sys/mman.h>.
    private const int ReadWrite = 1 | 2;
    private const int ReadExecute = 1 | 4;
    private const int PrivateAnonymous = 2 | 0x20;
    private static readonly void* Failed = (void*)-1;

    /// <summary>The address of a copy of <paramref name="code"/>; null where the system does not allow it.</summary>
    public static void* Place(ReadOnlySpan<byte> code)
    {
        if (!OperatingSystem.IsLinux())
            return null;
        var length = (nuint)code.Length;
        var address = Map(null, length, ReadWrite, PrivateAnonymous, -1, 0);
        if (address == Failed)
            return null;
        code.CopyTo(new Span<byte>(address, code.Length));
        if (Protect(address, length, ReadExecute) == 0)
            return address;
        _ = Unmap(address, length);
        return null;
    }

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial void* Map(void* address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    private static partial int Protect(void* address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(void* address, nuint length);
}

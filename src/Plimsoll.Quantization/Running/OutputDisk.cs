using Microsoft.Win32.SafeHandles;

namespace Plimsoll.Quantization.Running;

/// <summary>The file system that a run writes to. Tests pass one that is full, or that fails.</summary>
public class OutputDisk
{
    /// <summary>Bytes that this user may still write in the folder.</summary>
    public virtual long FreeBytes(string folder) => new DriveInfo(Path.GetFullPath(folder)).AvailableFreeSpace;

    /// <summary>Writes all bytes at a position.</summary>
    /// <exception cref="IOException">The disk is full or failed.</exception>
    public virtual void Write(SafeFileHandle file, ReadOnlySpan<byte> bytes, long offset) => RandomAccess.Write(file, bytes, offset);
}

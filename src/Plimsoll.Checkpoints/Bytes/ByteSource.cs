using Microsoft.Win32.SafeHandles;

namespace Plimsoll.Checkpoints.Bytes;

/// <summary>The bytes of a checkpoint file, wherever they are: on disk, or a prefix that was fetched over the network.</summary>
internal abstract class ByteSource(string path) : IDisposable
{
    /// <summary>The file or address, for messages.</summary>
    public string Path { get; } = path;

    /// <summary>The length of the whole file; null when a server did not tell.</summary>
    public abstract long? Length { get; }

    /// <summary>Fills as much of <paramref name="buffer"/> as there is from <paramref name="offset"/> on; 0 at the end.</summary>
    public abstract int Read(long offset, Span<byte> buffer);

    /// <summary>Says that the bytes before <paramref name="end"/> are about to be read.</summary>
    /// <exception cref="BytesMissingException">The file has them, but they are not here.</exception>
    public virtual void Expect(long end)
    {
    }

    public virtual void Dispose()
    {
    }
}

/// <summary>A file on disk, read at positions: nothing is mapped, so a file that shrinks while it is read cannot crash the process.</summary>
internal sealed class FileByteSource : ByteSource
{
    private readonly SafeFileHandle _file;

    /// <exception cref="IOException">The file does not exist or cannot be read.</exception>
    public FileByteSource(string path)
        : base(path)
    {
        _file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        try
        {
            Length = RandomAccess.GetLength(_file);
        }
        catch (NotSupportedException)
        {
            _file.Dispose();
            throw new IOException($"{path} is a pipe or device; checkpoints are read at many places, so save it to a file first");
        }
    }

    public override long? Length { get; }

    public override int Read(long offset, Span<byte> buffer) => RandomAccess.Read(_file, buffer, offset);

    public override void Dispose() => _file.Dispose();
}

/// <summary>The first bytes of a file whose rest is elsewhere.</summary>
internal sealed class PrefixByteSource(string path, ReadOnlyMemory<byte> prefix, long? length) : ByteSource(path)
{
    public override long? Length => length;

    public override void Expect(long end)
    {
        if (end > prefix.Length && (length is null || end <= length))
            throw new BytesMissingException(end);
    }

    public override int Read(long offset, Span<byte> buffer)
    {
        var available = prefix.Span[(int)Math.Min(offset, prefix.Length)..];
        var count = Math.Min(available.Length, buffer.Length);
        available[..count].CopyTo(buffer);
        return count;
    }
}

/// <summary>The signal between a header parser and its caller that a prefix was too short. It never leaves this project.</summary>
internal sealed class BytesMissingException(long needed) : Exception("the prefix of the file is too short")
{
    /// <summary>The least number of bytes from the start of the file with which the parser gets further.</summary>
    public long Needed { get; } = needed;
}

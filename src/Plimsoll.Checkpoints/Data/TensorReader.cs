using Microsoft.Win32.SafeHandles;

namespace Plimsoll.Checkpoints.Data;

/// <summary>Reads the bytes of stored tensors, at positions, from any number of threads.</summary>
/// <remarks>Nothing is mapped: memory stays with the caller's buffers, and a file that shrinks meanwhile gives an exception, not a crash.</remarks>
public sealed class TensorReader : IDisposable
{
    private readonly Dictionary<string, SafeFileHandle> files = new(StringComparer.Ordinal);
    private readonly Lock gate = new();

    /// <summary>Fills <paramref name="buffer"/> with the bytes of a tensor from <paramref name="offset"/> on.</summary>
    /// <param name="offset">Bytes from the start of the tensor's data.</param>
    /// <exception cref="ArgumentOutOfRangeException">The range leaves the tensor.</exception>
    /// <exception cref="CheckpointFormatException">The file ends before the range does.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public void Read(TensorHeader tensor, long offset, Span<byte> buffer)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(checked(offset + buffer.Length), tensor.Bytes);
        var file = Open(tensor.File);
        var position = tensor.Offset + offset;
        while (!buffer.IsEmpty)
        {
            var count = RandomAccess.Read(file, buffer, position);
            if (count == 0)
                throw new CheckpointFormatException(tensor.File, position, $"{buffer.Length} more bytes of tensor '{tensor.Name}'", "the end of the file");
            buffer = buffer[count..];
            position += count;
        }
    }

    public void Dispose()
    {
        foreach (var file in files.Values)
            file.Dispose();
        files.Clear();
    }

    private SafeFileHandle Open(string path)
    {
        lock (gate)
        {
            if (!files.TryGetValue(path, out var file))
                files[path] = file = File.OpenHandle(path);
            return file;
        }
    }
}

using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Plimsoll.Quantization.Calibration.Sequential;

/// <summary>What every token of a calibration text is between two layers: in memory, or in a file that is gone when it is closed.</summary>
internal sealed class HiddenStates : IDisposable
{
    /// <summary>More than this is kept in a file.</summary>
    private const long MostInMemory = 256L << 20;

    private readonly long chunkFloats;
    private readonly float[]? memory;
    private readonly SafeFileHandle? file;

    /// <param name="chunkFloats">Numbers of a chunk: (tokens, hidden).</param>
    /// <param name="folder">Where the file goes.</param>
    public HiddenStates(int chunks, int chunkFloats, string folder, long mostInMemory = MostInMemory)
    {
        this.chunkFloats = chunkFloats;
        var bytes = BytesFor(chunks, chunkFloats);
        if (bytes <= mostInMemory)
            memory = new float[checked(chunks * chunkFloats)];
        else
            file = File.OpenHandle(Path.Combine(folder, Path.GetRandomFileName()), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, FileOptions.DeleteOnClose, bytes);
    }

    public static long BytesFor(int chunks, int chunkFloats) => checked((long)chunks * chunkFloats * sizeof(float));

    /// <summary>What of them is in memory: all, or nothing.</summary>
    public static long MemoryBytes(int chunks, int chunkFloats) => BytesFor(chunks, chunkFloats) is var bytes && bytes <= MostInMemory ? bytes : 0;

    /// <exception cref="IOException">The disk failed.</exception>
    public void Read(int chunk, Span<float> hidden)
    {
        if (memory is not null)
        {
            memory.AsSpan((int)(chunk * chunkFloats), hidden.Length).CopyTo(hidden);
            return;
        }
        var bytes = MemoryMarshal.AsBytes(hidden);
        for (var at = 0; at < bytes.Length;)
        {
            var read = RandomAccess.Read(file!, bytes[at..], chunk * chunkFloats * sizeof(float) + at);
            at += read > 0 ? read : throw new IOException("the file with the hidden states of the calibration text has been cut");
        }
    }

    /// <exception cref="IOException">The disk is full or failed.</exception>
    public void Write(int chunk, ReadOnlySpan<float> hidden)
    {
        if (memory is not null)
            hidden.CopyTo(memory.AsSpan((int)(chunk * chunkFloats)));
        else
            RandomAccess.Write(file!, MemoryMarshal.AsBytes(hidden), chunk * chunkFloats * sizeof(float));
    }

    public void Dispose() => file?.Dispose();
}

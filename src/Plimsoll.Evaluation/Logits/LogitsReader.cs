using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Plimsoll.Checkpoints;

namespace Plimsoll.Evaluation.Logits;

/// <summary>Reads kept predictions row by row.</summary>
public sealed class LogitsReader : IDisposable
{
    private readonly FileStream _stream;
    private readonly byte[] _bytes;
    private readonly float[] _row;

    private LogitsReader(FileStream stream, int vocabulary)
    {
        _stream = stream;
        _bytes = new byte[LogitsHeader.RowBytes(vocabulary)];
        _row = new float[vocabulary];
    }

    /// <summary>Opens a file for comparing.</summary>
    /// <param name="difference">With a null result: why the file cannot be compared with, as a sentence.</param>
    /// <exception cref="CheckpointFormatException">It is no such file, or it is cut off.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static LogitsReader? Open(string path, string model, int vocabulary, EvaluationWindows windows, out string? difference)
    {
        var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 20);
        try
        {
            var expected = LogitsHeader.Make(model, vocabulary, windows);
            var found = new byte[expected.Length];
            var read = stream.ReadAtLeast(found, found.Length, throwOnEndOfStream: false);
            difference = LogitsHeader.Difference(path, found.AsSpan(0, read), stream.Length, expected, vocabulary, windows);
        }
        catch
        {
            stream.Dispose();
            throw;
        }
        if (difference is null)
            return new(stream, vocabulary);
        stream.Dispose();
        return null;
    }

    /// <summary>The current row: log-probabilities relative to the largest.</summary>
    internal ReadOnlySpan<float> Row => _row;

    /// <summary>The most probable token of the current row.</summary>
    internal int Top { get; private set; }

    /// <summary>The log-probability of the token that came.</summary>
    internal double TargetLogProbability { get; private set; }

    /// <summary>Goes to the next row.</summary>
    internal void Read()
    {
        _stream.ReadExactly(_bytes);
        Top = BinaryPrimitives.ReadInt32LittleEndian(_bytes);
        TargetLogProbability = BinaryPrimitives.ReadSingleLittleEndian(_bytes.AsSpan(4));
        LogitCode.Decode(MemoryMarshal.Cast<byte, ushort>(_bytes.AsSpan(8)), _row);
    }

    public void Dispose() => _stream.Dispose();
}

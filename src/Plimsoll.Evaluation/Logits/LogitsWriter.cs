using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Plimsoll.Evaluation.Logits;

/// <summary>Keeps the predictions of a model in a file, which appears under its name when it is complete.</summary>
public sealed class LogitsWriter : IDisposable
{
    private readonly string _path;
    private readonly string _partial;
    private readonly byte[] _row;
    private FileStream? _stream;

    /// <param name="model">Names the model for whoever compares with it later.</param>
    /// <exception cref="IOException">The file cannot be created.</exception>
    public LogitsWriter(string path, string model, int vocabulary, EvaluationWindows windows)
    {
        _path = path;
        _partial = path + ".partial";
        _row = new byte[LogitsHeader.RowBytes(vocabulary)];
        _stream = new(_partial, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 20);
        _stream.Write(LogitsHeader.Make(model, vocabulary, windows));
    }

    /// <summary>Ends the file and gives it its name.</summary>
    public void Complete()
    {
        _stream!.Flush(flushToDisk: true);
        _stream.Dispose();
        _stream = null;
        File.Move(_partial, _path, overwrite: true);
    }

    /// <summary>Removes what was written when <see cref="Complete"/> was not reached.</summary>
    public void Dispose()
    {
        if (_stream is null)
            return;
        _stream.Dispose();
        _stream = null;
        File.Delete(_partial);
    }

    internal void Write(ReadOnlySpan<float> logits, LogitRow row, double targetLogProbability)
    {
        BinaryPrimitives.WriteInt32LittleEndian(_row, row.Top);
        BinaryPrimitives.WriteSingleLittleEndian(_row.AsSpan(4), (float)targetLogProbability);
        LogitCode.Encode(logits, row.Max, MemoryMarshal.Cast<byte, ushort>(_row.AsSpan(8)));
        _stream!.Write(_row);
    }
}

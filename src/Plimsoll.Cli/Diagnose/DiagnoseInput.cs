using System.IO.Compression;
using System.Text;
using Plimsoll.Diagnostics.OutOfMemory;

namespace Plimsoll.Cli.Diagnose;

/// <summary>Logs as text: several files one after the other, standard input, gzip, and the encodings that shells produce.</summary>
internal sealed class DiagnoseInput(IReadOnlyList<string> files, CliEnvironment environment)
{
    /// <summary>Of a series this much is read, in characters: the end of each file.</summary>
    private const int LongestSeries = 64 << 20;

    /// <summary>Bytes of one read: larger ones leave the processor's cache.</summary>
    private const int ReadBytes = 1 << 17;

    private string? standardInput;

    /// <summary>Every file from its beginning to its end, however long.</summary>
    public LogText ReadLog()
    {
        var log = Guard(() => LogText.Read(files.Select(file => Open(file))));
        return log.IsBlank
            ? throw CliException.BadInput($"{string.Join(", ", files)}: nothing to read", "pass a log, or pipe one into 'plimsoll diagnose -' (with 2>&1: errors are on standard error)")
            : log;
    }

    /// <summary>The end of every file, as one text.</summary>
    public string ReadText() => Guard(ReadEnds);

    private T Guard<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (InvalidDataException failure)
        {
            throw CliException.BadInput($"{string.Join(", ", files)}: damaged gzip: {failure.Message}");
        }
    }

    private string ReadEnds()
    {
        var text = new StringBuilder();
        foreach (var file in files)
        {
            using var reader = Open(file, LongestSeries);
            if (text.Length > 0 && text[^1] != '\n')
                text.Append('\n');
            var buffer = new char[1 << 16];
            for (int count; text.Length < LongestSeries && (count = reader.Read(buffer)) > 0;)
                text.Append(buffer.AsSpan(0, count));
        }
        return text.ToString();
    }

    private TextReader Open(string file, long most = long.MaxValue) => file == "-" ? new StringReader(standardInput ??= ReadStandardInput()) : OpenFile(file, most);

    private string ReadStandardInput()
    {
        using var reader = new StreamReader(environment.OpenInput(), Encoding.UTF8, detectEncodingFromByteOrderMarks: true);
        return reader.ReadToEnd();
    }

    /// <summary>UTF-8, UTF-16 as PowerShell writes it, or either gzipped as profilers do.</summary>
    /// <param name="most">Bytes from the end; what is gzipped is read from its beginning.</param>
    private static StreamReader OpenFile(string path, long most)
    {
        if (Directory.Exists(path))
            throw CliException.BadInput($"{path} is a folder; name the log files in it");
        if (!File.Exists(path))
            throw CliException.BadInput($"{path}: no such file");
        var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0, FileOptions.SequentialScan);
        var first = new byte[Math.Min(512, stream.Length)];
        stream.ReadExactly(first);
        stream.Position = 0;
        if (first is [0x1F, 0x8B, ..])
            return new(new GZipStream(stream, CompressionMode.Decompress), Encoding.UTF8);
        var isUtf16 = first is [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..];
        if (!isUtf16 && first.AsSpan().Contains((byte)0))
        {
            stream.Dispose();
            throw CliException.BadInput($"{path} is no text: a log is expected", "save the output of the job to a file, with 2>&1");
        }
        stream.Position = Math.Max(0, stream.Length - most) & ~1L;
        return new(stream, isUtf16 ? (first[0] == 0xFF ? Encoding.Unicode : Encoding.BigEndianUnicode) : Encoding.UTF8, detectEncodingFromByteOrderMarks: true, ReadBytes);
    }
}

using System.IO.Compression;
using System.Text;
using Plimsoll.Diagnostics.OutOfMemory;

namespace Plimsoll.Cli.Diagnose;

/// <summary>Logs as text: several files one after the other, standard input, and the encodings that shells produce.</summary>
internal static class DiagnoseInput
{
    public static string ReadText(IReadOnlyList<string> files, CliEnvironment environment)
    {
        var text = new StringBuilder();
        foreach (var file in files)
        {
            var content = file == "-" ? ReadStandardInput(environment) : Read(file);
            if (text.Length > 0 && text[^1] != '\n')
                text.Append('\n');
            text.Append(content);
        }
        if (string.IsNullOrWhiteSpace(text.ToString()))
            throw CliException.BadInput($"{string.Join(", ", files)}: nothing to read", "pass a log, or pipe one into 'plimsoll diagnose -' (with 2>&1: errors are on standard error)");
        return text.ToString();
    }

    private static string ReadStandardInput(CliEnvironment environment)
    {
        using var reader = new StreamReader(environment.OpenInput(), Encoding.UTF8, detectEncodingFromByteOrderMarks: true);
        return reader.ReadToEnd();
    }

    /// <summary>The end of the file, as text: UTF-8, or UTF-16 as PowerShell writes it.</summary>
    private static string Read(string path)
    {
        if (Directory.Exists(path))
            throw CliException.BadInput($"{path} is a folder; name the log files in it");
        if (!File.Exists(path))
            throw CliException.BadInput($"{path}: no such file");
        using var stream = File.OpenRead(path);
        var first = new byte[Math.Min(512, stream.Length)];
        stream.ReadExactly(first);
        if (first is [0x1F, 0x8B, ..])
            return ReadCompressed(stream, path);
        var isUtf16 = first is [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..];
        if (!isUtf16 && first.AsSpan().Contains((byte)0))
            throw CliException.BadInput($"{path} is no text: a log is expected", "save the output of the job to a file, with 2>&1");
        stream.Position = Math.Max(0, stream.Length - LogText.MaxCharacters) & ~1L;
        using var reader = new StreamReader(stream, isUtf16 ? (first[0] == 0xFF ? Encoding.Unicode : Encoding.BigEndianUnicode) : Encoding.UTF8, detectEncodingFromByteOrderMarks: true);
        return reader.ReadToEnd();
    }

    /// <summary>Profilers write their traces gzipped. What is read has the limit of a log.</summary>
    private static string ReadCompressed(FileStream stream, string path)
    {
        stream.Position = 0;
        try
        {
            using var reader = new StreamReader(new GZipStream(stream, CompressionMode.Decompress), Encoding.UTF8);
            var buffer = new char[1 << 16];
            var text = new StringBuilder();
            for (int count; text.Length < LogText.MaxCharacters && (count = reader.Read(buffer)) > 0;)
                text.Append(buffer.AsSpan(0, count));
            return text.ToString();
        }
        catch (InvalidDataException failure)
        {
            throw CliException.BadInput($"{path}: damaged gzip: {failure.Message}");
        }
    }
}

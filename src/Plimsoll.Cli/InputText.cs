using System.Globalization;
using System.Text;

namespace Plimsoll.Cli;

/// <summary>Text that a command works on: from an option, a file or stdin.</summary>
internal static class InputText
{
    /// <summary>A text file beyond it was hardly meant; the whole of it is held in memory.</summary>
    private const long MaxBytes = 1L << 30;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <exception cref="CliException">The file is not there, too large, not UTF-8 or empty.</exception>
    public static string ReadFile(string path)
    {
        if (!File.Exists(path))
            throw CliException.BadInput($"{path}: no such file");
        if (new FileInfo(path).Length is var length && length > MaxBytes)
            throw CliException.BadInput(string.Create(CultureInfo.InvariantCulture, $"{path}: {length:N0} bytes of text; at most {MaxBytes:N0} are read"));
        return Decode(path, File.ReadAllBytes(path));
    }

    /// <exception cref="CliException">What comes in is not UTF-8 or empty.</exception>
    public static string ReadStandardInput(CliEnvironment environment)
    {
        using var input = environment.OpenInput();
        using var bytes = new MemoryStream();
        input.CopyTo(bytes);
        return Decode("stdin", bytes.ToArray());
    }

    /// <summary>The lines of stdin as they come, without empty ones.</summary>
    /// <exception cref="CliException">A line is not UTF-8.</exception>
    public static IEnumerable<string> ReadLines(CliEnvironment environment)
    {
        using var reader = new StreamReader(environment.OpenInput(), Strict);
        while (ReadLine(reader) is { } line)
        {
            if (line.Trim().Length > 0)
                yield return line;
        }
    }

    private static string? ReadLine(StreamReader reader)
    {
        try
        {
            return reader.ReadLine();
        }
        catch (DecoderFallbackException)
        {
            throw CliException.BadInput("stdin: not UTF-8", "convert it first, for example with 'iconv -f latin1 -t utf-8'");
        }
    }

    private static string Decode(string name, byte[] bytes)
    {
        var content = bytes.AsSpan();
        if (content.StartsWith(Encoding.UTF8.Preamble))
            content = content[Encoding.UTF8.Preamble.Length..];
        if (content.IsEmpty)
            throw CliException.BadInput($"{name}: the text is empty");
        try
        {
            return Strict.GetString(content);
        }
        catch (DecoderFallbackException failure)
        {
            throw CliException.BadInput(
                string.Create(CultureInfo.InvariantCulture, $"{name}: not UTF-8: byte 0x{failure.BytesUnknown?[0] ?? 0:X2} at offset {bytes.Length - content.Length + failure.Index}"),
                "convert it first, for example with 'iconv -f latin1 -t utf-8'");
        }
    }
}

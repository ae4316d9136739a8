using System.Buffers;
using System.Globalization;
using System.Text;

namespace Plimsoll.Cli.Tokenize;

/// <summary>The bytes of a token as a person reads them: line ends and tabs escaped, bytes that are no whole character as <c>&lt;0xE2&gt;</c>.</summary>
internal static class PieceText
{
    public static string Of(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder(bytes.Length);
        while (!bytes.IsEmpty)
        {
            var status = Rune.DecodeFromUtf8(bytes, out var rune, out var length);
            if (status == OperationStatus.Done)
                text.Append(Escaped(rune));
            else
                text.Append(CultureInfo.InvariantCulture, $"<0x{bytes[0]:X2}>");
            bytes = bytes[(status == OperationStatus.Done ? length : 1)..];
        }
        return text.ToString();
    }

    private static string Escaped(Rune rune) => rune.Value switch
    {
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        '\\' => "\\\\",
        _ => Rune.IsControl(rune) ? string.Create(CultureInfo.InvariantCulture, $"\\u{rune.Value:x4}") : rune.ToString(),
    };
}

using System.Globalization;
using System.Numerics;
using System.Text;

namespace Plimsoll.Checkpoints.Pickle;

/// <summary>The text arguments of protocol 0.</summary>
internal static class PickleText
{
    /// <summary>More digits than 64 bytes can hold: parsing takes time that grows with their square.</summary>
    private const int MaxDigits = 160;

    /// <summary><c>12</c> and <c>12L</c>; with <paramref name="isInt"/> also <c>00</c> and <c>01</c>, which stand for False and True.</summary>
    public static PickleValue? Integer(ReadOnlySpan<byte> line, bool isInt)
    {
        if (isInt && line.Length == 2 && line[0] == (byte)'0' && line[1] is ((byte)'0' or (byte)'1'))
            return PickleValue.From(line[1] == (byte)'1');
        if (!line.IsEmpty && line[^1] == (byte)'L')
            line = line[..^1];
        if (line.Length > MaxDigits)
            return null;
        var text = Encoding.Latin1.GetString(line);
        return BigInteger.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? PickleValue.From(value) : null;
    }

    /// <summary>What Python's repr writes, <c>inf</c> and <c>nan</c> included.</summary>
    public static PickleValue? Float(ReadOnlySpan<byte> line) => Encoding.Latin1.GetString(line) switch
    {
        "inf" => PickleValue.From(double.PositiveInfinity),
        "-inf" => PickleValue.From(double.NegativeInfinity),
        "nan" => PickleValue.From(double.NaN),
        var text => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? PickleValue.From(value) : null,
    };

    /// <summary>Latin-1 with <c>\uXXXX</c> and <c>\UXXXXXXXX</c>; everything else stands for itself.</summary>
    public static string RawUnicodeEscape(ReadOnlySpan<byte> line)
    {
        var text = new StringBuilder(line.Length);
        for (var at = 0; at < line.Length; at++)
        {
            var digits = line[at] == (byte)'\\' && at + 1 < line.Length ? line[at + 1] switch { (byte)'u' => 4, (byte)'U' => 8, _ => 0 } : 0;
            if (digits > 0 && at + 2 + digits <= line.Length && TryHex(line.Slice(at + 2, digits), out var code) && code <= 0x10FFFF)
            {
                AppendCode(text, code);
                at += 1 + digits;
            }
            else
            {
                text.Append((char)line[at]);
            }
        }
        return text.ToString();
    }

    /// <summary>A Python string literal in single or double quotes; null when it is none.</summary>
    public static string? Quoted(ReadOnlySpan<byte> line)
    {
        if (line.Length < 2 || line[0] != line[^1] || line[0] is not ((byte)'\'' or (byte)'"'))
            return null;
        line = line[1..^1];
        var text = new StringBuilder(line.Length);
        for (var at = 0; at < line.Length; at++)
        {
            if (line[at] != (byte)'\\')
            {
                text.Append((char)line[at]);
                continue;
            }
            if (++at == line.Length)
                return null;
            if (line[at] == (byte)'x')
            {
                if (at + 2 >= line.Length || !TryHex(line.Slice(at + 1, 2), out var code))
                    return null;
                text.Append((char)code);
                at += 2;
                continue;
            }
            text.Append(line[at] switch { (byte)'n' => '\n', (byte)'r' => '\r', (byte)'t' => '\t', var other => (char)other });
        }
        return text.ToString();
    }

    private static bool TryHex(ReadOnlySpan<byte> digits, out uint value) =>
        uint.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);

    /// <summary>Lone surrogates stay what they are; Python writes them too.</summary>
    private static void AppendCode(StringBuilder text, uint code)
    {
        if (code < 0x10000)
            text.Append((char)code);
        else
            text.Append(char.ConvertFromUtf32((int)code));
    }
}

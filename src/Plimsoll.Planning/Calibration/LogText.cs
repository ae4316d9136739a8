using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Plimsoll.Numerics;

namespace Plimsoll.Planning.Calibration;

/// <summary>Lines and numbers as logs have them: with colours, in two notations of decimals, and of any length.</summary>
internal static partial class LogText
{
    /// <summary>The longest line with a size in it, the shape of a 162-layer model, has 1,200 characters.</summary>
    private const int MaxLine = 4096;

    /// <summary>A number with an optional fraction and thousands separators, for use inside other patterns.</summary>
    public const string Number = @"\d[\d.,]*";

    public const string Unit = @"(?:[KMGT]i?B|B|bytes)";

    [GeneratedRegex(@"\x1b\[[0-9;?]*[ -/]*[@-~]", RegexOptions.CultureInvariant)]
    private static partial Regex Ansi { get; }

    /// <summary>The lines without colour codes. What exceeds the longest useful line is dropped, never held.</summary>
    public static IEnumerable<string> Lines(TextReader reader)
    {
        var line = new StringBuilder();
        for (var next = reader.Read(); next >= 0; next = reader.Read())
        {
            // Progress bars end their lines with a carriage return.
            if (next is '\n' or '\r')
            {
                if (line.Length > 0)
                    yield return Ansi.Replace(line.ToString(), "");
                line.Clear();
            }
            else if (line.Length < MaxLine)
            {
                line.Append((char)next);
            }
        }
        if (line.Length > 0)
            yield return Ansi.Replace(line.ToString(), "");
    }

    /// <summary>Reads a size as printed; a comma is a decimal mark unless a point follows it (<c>1,024.5</c>).</summary>
    /// <param name="binary">GB stands for GiB, as engines print it that divide by 2^30.</param>
    /// <returns>Null for what is no number, or no size that a machine could have.</returns>
    public static (long Bytes, long Rounding)? Size(string number, string unit, bool binary = true)
    {
        var text = number.TrimEnd('.', ',');
        text = text.Contains('.') ? text.Replace(",", "", StringComparison.Ordinal) : text.Replace(',', '.');
        if (!double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value))
            return null;
        var power = char.ToUpperInvariant(unit[0]) switch { 'K' => 1, 'M' => 2, 'G' => 3, 'T' => 4, _ => 0 };
        var scale = Math.Pow(binary || unit.Contains('i') ? 1024 : 1000, power);
        // No machine holds a pebibyte of accelerator memory for one process.
        if (value * scale > 1L << 50)
            return null;
        var decimals = text.Contains('.') ? text.Length - text.IndexOf('.') - 1 : 0;
        var rounding = power == 0 ? 0 : scale * Math.Pow(10, -decimals) / 2;
        return (ByteSize.FromDouble(value * scale).Bytes, (long)rounding);
    }

    /// <summary>A whole number with thousands separators: <c>123,456</c>.</summary>
    public static string Digits(string number) => new([.. number.Where(char.IsAsciiDigit)]);
}

using System.Globalization;
using Plimsoll.Numerics;

namespace Plimsoll.Diagnostics.OutOfMemory;

/// <summary>A number of bytes as a message prints it, and how far the true number may lie from it.</summary>
/// <param name="Bytes">What the text says.</param>
/// <param name="Rounding">Half a unit of the last printed digit: 5 MiB for <c>15.40 GiB</c>, 0 for a count of bytes.</param>
public readonly record struct Amount(long Bytes, long Rounding = 0)
{
    /// <summary>The largest number that can be meant: NVML writes 2^64 − 1 for "not available", which PyTorch prints as 17179869184.00 GiB.</summary>
    private const double NotAvailable = 9.2e18;

    /// <summary>Inside other patterns: a number with a fraction and thousands separators.</summary>
    public const string Number = @"-?\d[\d,]*(?:\.\d+)?";

    /// <summary>Inside other patterns. The spelling <c>GibB</c> occurs in the wild.</summary>
    public const string Unit = @"(?:[KMGTP]i?b?B|bytes|byte|B)";

    /// <summary>Inside other patterns: number and unit under one name, to be read by <see cref="Parse"/>.</summary>
    public static string Pattern(string name) => $@"(?<{name}>{Number}\s*{Unit})";

    /// <summary>Reads <c>15.41 GiB</c>, <c>896.00 KiB</c>, <c>1,610,612,736 bytes</c>. All these programs divide by 1024, whatever they call it.</summary>
    /// <returns>Null for what stands for "not available", and for what is no amount.</returns>
    public static Amount? Parse(string text)
    {
        var split = text.Length;
        while (split > 0 && !char.IsAsciiDigit(text[split - 1]))
            split--;
        var number = text[..split].Replace(",", "", StringComparison.Ordinal);
        if (!double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out var value))
            return null;
        var unit = text[split..].Trim();
        var power = unit.Length == 0 ? 0 : char.ToUpperInvariant(unit[0]) switch { 'K' => 1, 'M' => 2, 'G' => 3, 'T' => 4, 'P' => 5, _ => 0 };
        var scale = Math.Pow(1024, power);
        if (Math.Abs(value * scale) >= NotAvailable)
            return null;
        var point = number.IndexOf('.');
        var decimals = point < 0 ? 0 : number.Length - point - 1;
        return new((long)Math.Round(value * scale), power == 0 ? 0 : (long)(scale * Math.Pow(10, -decimals) / 2));
    }

    /// <summary>Whether it is certainly above zero, rounding taken into account.</summary>
    public bool IsPositive => Bytes > Rounding;

    public static Amount operator +(Amount left, Amount right) => new(checked(left.Bytes + right.Bytes), checked(left.Rounding + right.Rounding));

    public static Amount operator -(Amount left, Amount right) => new(checked(left.Bytes - right.Bytes), checked(left.Rounding + right.Rounding));

    /// <summary>The size in its natural unit, with the rounding where that could show: <c>10.24 MiB ± 10.24 MiB</c>.</summary>
    public override string ToString() => Rounding > 0 && Rounding * 50L > Math.Abs(Bytes) ? $"{new ByteSize(Bytes)} ± {new ByteSize(Rounding)}" : new ByteSize(Bytes).ToString();
}

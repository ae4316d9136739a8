using System.Globalization;

namespace Plimsoll.Numerics;

/// <summary>A number of bytes. Not a number of elements, and never silently rounded: arithmetic is checked.</summary>
/// <remarks>
/// Binary units (KiB, MiB, GiB, TiB) and decimal units (kB, MB, GB, TB) are never mixed: GPUs and allocators count in GiB,
/// models and disks are usually quoted in GB, so every formatted figure names its unit.
/// </remarks>
public readonly record struct ByteSize(long Bytes) : IComparable<ByteSize>
{
    public const long KiB = 1L << 10;
    public const long MiB = 1L << 20;
    public const long GiB = 1L << 30;
    public const long TiB = 1L << 40;

    private const double TwoTo63 = 9223372036854775808.0;

    public static ByteSize Zero => default;

    public static ByteSize FromMiB(double mebibytes) => FromUnits(mebibytes, MiB);

    public static ByteSize FromGiB(double gibibytes) => FromUnits(gibibytes, GiB);

    public static ByteSize FromGB(double gigabytes) => FromUnits(gigabytes, 1_000_000_000);

    public double InMiB => (double)Bytes / MiB;

    public double InGiB => (double)Bytes / GiB;

    public double InGB => Bytes / 1e9;

    public int CompareTo(ByteSize other) => Bytes.CompareTo(other.Bytes);

    public static ByteSize operator +(ByteSize left, ByteSize right) => new(checked(left.Bytes + right.Bytes));

    public static ByteSize operator -(ByteSize left, ByteSize right) => new(checked(left.Bytes - right.Bytes));

    public static ByteSize operator -(ByteSize value) => new(checked(-value.Bytes));

    public static ByteSize operator *(ByteSize size, long count) => new(checked(size.Bytes * count));

    public static ByteSize operator *(long count, ByteSize size) => size * count;

    public static bool operator <(ByteSize left, ByteSize right) => left.Bytes < right.Bytes;

    public static bool operator >(ByteSize left, ByteSize right) => left.Bytes > right.Bytes;

    public static bool operator <=(ByteSize left, ByteSize right) => left.Bytes <= right.Bytes;

    public static bool operator >=(ByteSize left, ByteSize right) => left.Bytes >= right.Bytes;

    public static ByteSize Max(ByteSize left, ByteSize right) => left >= right ? left : right;

    public static ByteSize Min(ByteSize left, ByteSize right) => left <= right ? left : right;

    /// <summary>Rounds a fractional byte count to the nearest byte, half to even.</summary>
    /// <exception cref="OverflowException">The value is not finite or does not fit a 64-bit integer.</exception>
    public static ByteSize FromDouble(double bytes) =>
        bytes is >= -TwoTo63 and < TwoTo63
            ? new((long)Math.Round(bytes, MidpointRounding.ToEven))
            : throw new OverflowException($"{bytes} is not a representable number of bytes");

    /// <summary>The size in its natural binary unit, for example <c>14.96 GiB</c>.</summary>
    public override string ToString() => Format(binary: true);

    /// <summary>The size in its natural decimal unit, for example <c>16.06 GB</c>.</summary>
    public string ToDecimalString() => Format(binary: false);

    /// <summary>Reads <c>24GiB</c>, <c>24 GB</c>, <c>512M</c> (binary, as NVIDIA and the JVM use bare letters) or a bare byte count.</summary>
    /// <remarks>Exact: a fraction of a byte is refused without a unit and rounded half to even with one. Case does not matter, so <c>Gb</c> is no gigabit.</remarks>
    public static bool TryParse(ReadOnlySpan<char> text, out ByteSize size)
    {
        size = default;
        text = text.Trim();
        var split = text.Length;
        while (split > 0 && char.IsAsciiLetter(text[split - 1]))
            split--;

        if (Unit(text[split..]) is not { } unit
            || !decimal.TryParse(text[..split].TrimEnd(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var amount)
            || (unit == 1 && decimal.Truncate(amount) != amount)
            || amount > (decimal)long.MaxValue / unit)
            return false;
        size = new((long)decimal.Round(amount * unit, MidpointRounding.ToEven));
        return true;
    }

    private static long? Unit(ReadOnlySpan<char> name)
    {
        if (name.IsEmpty || name.Equals("B", StringComparison.OrdinalIgnoreCase))
            return 1;
        var power = "KMGT".IndexOf(char.ToUpperInvariant(name[0])) + 1;
        if (power == 0)
            return null;
        var suffix = name[1..];
        var binary = suffix.IsEmpty || suffix.Equals("iB", StringComparison.OrdinalIgnoreCase) || suffix.Equals("i", StringComparison.OrdinalIgnoreCase);
        var isDecimal = suffix.Equals("B", StringComparison.OrdinalIgnoreCase);
        return binary ? 1L << (10 * power) : isDecimal ? (long)Math.Pow(1000, power) : null;
    }

    private static ByteSize FromUnits(double amount, long unit) => FromDouble(amount * unit);

    /// <summary>Moves on to the next unit where two decimals would round up to a full step: 1023.999 KiB is 1.00 MiB.</summary>
    private string Format(bool binary)
    {
        ReadOnlySpan<string> units = binary ? ["B", "KiB", "MiB", "GiB", "TiB"] : ["B", "kB", "MB", "GB", "TB"];
        var step = binary ? 1024.0 : 1000.0;
        double value = Bytes;
        var unit = 0;
        while (Math.Round(Math.Abs(value), 2) >= step && unit < units.Length - 1)
        {
            value /= step;
            unit++;
        }
        return $"{value.ToString(unit == 0 ? "0" : "0.00", CultureInfo.InvariantCulture)} {units[unit]}";
    }
}

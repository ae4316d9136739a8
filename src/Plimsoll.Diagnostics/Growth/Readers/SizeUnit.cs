using System.Globalization;
using System.Text.RegularExpressions;
using Plimsoll.Numerics;

namespace Plimsoll.Diagnostics.Growth.Readers;

/// <summary>Sizes in cells and log lines: <c>1129 MiB</c>, <c>1.89GB</c>, <c>33,5</c>.</summary>
/// <remarks>Decimal-looking units are read as binary ones: nvidia-smi, torch and DeepSpeed print GiB under the name GB.</remarks>
internal static partial class SizeUnit
{
    public static double? Bytes(string unit) => unit.Trim().ToLowerInvariant() switch
    {
        "b" or "bytes" => 1,
        "k" or "kb" or "kib" => ByteSize.KiB,
        "m" or "mb" or "mib" => ByteSize.MiB,
        "g" or "gb" or "gib" => ByteSize.GiB,
        "t" or "tb" or "tib" => ByteSize.TiB,
        _ => null,
    };

    /// <summary>A number with or without a unit of size; false for anything else, and for numbers of other units.</summary>
    public static bool TryParse(string cell, out double value, out double? unit)
    {
        (value, unit) = (0, null);
        var match = Size().Match(cell.Trim().Trim('"'));
        if (!match.Success || !double.TryParse(match.Groups["number"].Value.Replace(',', '.'), NumberStyles.Float, CultureInfo.InvariantCulture, out value) || !double.IsFinite(value))
            return false;
        if (match.Groups["unit"].Value is not { Length: > 0 } name)
            return true;
        unit = Bytes(name);
        return unit is not null;
    }

    [GeneratedRegex(@"^(?<number>\d+(?:[.,]\d+)?(?:[eE][+-]?\d+)?)\s*(?<unit>[A-Za-z%°/]*)$")]
    private static partial Regex Size();
}

using System.Globalization;

namespace Plimsoll.Diagnostics.Growth.Readers;

/// <summary>Points in time as monitors write them, in seconds since some start.</summary>
internal static class Moment
{
    private const double MillisecondsSince = 1e11, MicrosecondsSince = 1e14;

    private static readonly string[] Formats =
    [
        "yyyy/MM/dd HH:mm:ss.FFFFFFF", "yyyy/MM/dd HH:mm:ss", "yyyy-MM-dd HH:mm:ss.FFFFFFF", "yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd HH:mm:ss,FFF", "yyyy-MM-ddTHH:mm:ss.FFFFFFF", "yyyy-MM-ddTHH:mm:ss",
        "yyyy-MM-ddTHH:mm:ss.FFFFFFFK", "yyyy-MM-ddTHH:mm:ssK", "dd.MM.yyyy HH:mm:ss", "MM/dd/yyyy HH:mm:ss", "MM/dd/yyyy HH:mm:ss.FFF", "HH:mm:ss.FFF", "HH:mm:ss",
    ];

    /// <summary>A date, an hour, seconds, or seconds, milliseconds or microseconds since 1970.</summary>
    public static bool TryParse(string cell, out double seconds)
    {
        cell = cell.Trim().Trim('"', '[', ']');
        if (double.TryParse(cell, NumberStyles.Float, CultureInfo.InvariantCulture, out seconds))
        {
            seconds /= seconds switch { > MicrosecondsSince => 1e6, > MillisecondsSince => 1e3, _ => 1 };
            return double.IsFinite(seconds);
        }
        return TryParseDate(cell, out seconds);
    }

    public static bool TryParseDate(string cell, out double seconds)
    {
        var isDate = DateTime.TryParseExact(cell.Trim().Trim('"', '[', ']'), Formats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal | DateTimeStyles.NoCurrentDateDefault, out var date);
        seconds = isDate ? (double)date.Ticks / TimeSpan.TicksPerSecond : 0;
        return isDate;
    }
}

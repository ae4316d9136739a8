using System.Globalization;
using Plimsoll.Numerics;

namespace Plimsoll.Diagnostics.Growth;

/// <summary>Positions and rates of a series in words.</summary>
public static class Units
{
    private const double Minute = 60, Hour = 3600, Day = 86_400;

    /// <summary><c>42 s</c>, <c>13 min</c>, <c>5.2 h</c>, <c>1,200 steps</c>.</summary>
    public static string Describe(double amount, SeriesAxis axis) => axis switch
    {
        SeriesAxis.Steps => string.Create(CultureInfo.InvariantCulture, $"{amount:#,0.#} steps"),
        SeriesAxis.Tokens => string.Create(CultureInfo.InvariantCulture, $"{amount:#,0} tokens"),
        _ => amount switch
        {
            < 2 * Minute => string.Create(CultureInfo.InvariantCulture, $"{amount:0.#} s"),
            < 2 * Hour => string.Create(CultureInfo.InvariantCulture, $"{amount / Minute:0.#} min"),
            < 2 * Day => string.Create(CultureInfo.InvariantCulture, $"{amount / Hour:0.#} h"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{amount / Day:#,0.#} days"),
        },
    };

    /// <summary><c>1.20 GiB/h</c>, <c>3.00 MiB/step</c>.</summary>
    public static string DescribeRate(double bytesPerUnit, SeriesAxis axis)
    {
        var (factor, unit) = axis switch
        {
            SeriesAxis.Steps => (1, "step"),
            SeriesAxis.Tokens => (1, "token"),
            _ => Math.Abs(bytesPerUnit) >= ByteSize.MiB ? (1, "s") : Math.Abs(bytesPerUnit) * Minute >= ByteSize.MiB ? (Minute, "min") : (Hour, "h"),
        };
        return $"{ByteSize.FromDouble(bytesPerUnit * factor)}/{unit}";
    }
}

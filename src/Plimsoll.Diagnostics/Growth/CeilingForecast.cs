using System.Globalization;
using Plimsoll.Numerics;

namespace Plimsoll.Diagnostics.Growth;

/// <summary>When growth reaches the ceiling, counted from the last sample; or why that cannot be said.</summary>
/// <param name="Expected">Units of the axis; null where it is refused.</param>
/// <param name="Low">The soonest, at the steepest slope that the data allow.</param>
/// <param name="High">The latest.</param>
/// <param name="Basis">How it was computed, or why it was not.</param>
public sealed record CeilingForecast(double? Expected, double? Low, double? High, string Basis)
{
    /// <summary>A forecast reaches at most this many times as far as the history behind it.</summary>
    private const double FarthestHorizon = 10.0 / 3;

    /// <param name="peak">The highest level of late: it is the peaks that hit the ceiling.</param>
    internal static CeilingForecast Of(MemorySeries series, SlopeInterval slope, double peak, Staircase? steps)
    {
        var room = series.CeilingBytes!.Value - peak;
        if (room <= 0)
            return new(0, 0, 0, "the highest of the last samples is at the ceiling");
        if (slope.Low <= 0)
            return new(null, null, null, "refused: the interval of the slope includes 0");
        var expected = steps is null ? room / slope.Median : Math.Ceiling(room / steps.StepBytes) * steps.Interval;
        if (expected > FarthestHorizon * series.Span)
            return new(null, null, null, string.Create(CultureInfo.InvariantCulture, $"refused: {expected / series.Span:0.#} times as far ahead as the {Units.Describe(series.Span, series.Axis)} of history"));
        var basis = steps is null
            ? $"({new ByteSize(series.CeilingBytes.Value)} - {new ByteSize((long)peak)}) / {Units.DescribeRate(slope.Median, series.Axis)}"
            : string.Create(CultureInfo.InvariantCulture, $"{Math.Ceiling(room / steps.StepBytes):0} more steps of {new ByteSize((long)steps.StepBytes)}, one every {Units.Describe(steps.Interval, series.Axis)}");
        return new(expected, Math.Min(expected, room / slope.High), Math.Max(expected, room / slope.Low), basis);
    }
}

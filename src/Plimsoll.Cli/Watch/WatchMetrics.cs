using System.Globalization;
using System.Text;
using Plimsoll.Cli.Diagnose;
using Plimsoll.Diagnostics.Growth;

namespace Plimsoll.Cli.Watch;

/// <summary>The judgement as Prometheus text (exposition format 0.0.4). A figure that is not known is left out.</summary>
internal static class WatchMetrics
{
    public static string Write(GrowthDiagnosis diagnosis)
    {
        var text = new StringBuilder();
        Gauge("plimsoll_memory_used_bytes", "Memory in use.", verdict => verdict.Series.Bytes[^1]);
        Gauge("plimsoll_memory_ceiling_bytes", "Memory that can be used at most.", verdict => verdict.Series.CeilingBytes);
        Gauge("plimsoll_memory_slope_bytes_per_second", "Growth, where it leaks or grows.", verdict => verdict.Slope?.Median);
        Gauge("plimsoll_memory_seconds_to_ceiling", "Time until the ceiling, where it can be forecast.", verdict => verdict.Forecast?.Expected);
        Gauge("plimsoll_memory_problem", "1 where it leaks or grows.", verdict => verdict.IsProblem ? 1 : 0);
        return text.ToString();

        void Gauge(string name, string help, Func<GrowthVerdict, double?> value)
        {
            text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} gauge\n");
            foreach (var verdict in diagnosis.Verdicts)
            {
                if (value(verdict) is { } known)
                    text.Append(CultureInfo.InvariantCulture, $"{name}{{series=\"{verdict.Series.Name}\",ledger=\"{verdict.Series.Ledger.ToString().ToLowerInvariant()}\",verdict=\"{GrowthJson.Name(verdict.Shape)}\"}} {known:R}\n");
            }
        }
    }
}

using System.Text.Json;
using Plimsoll.Diagnostics;
using Plimsoll.Diagnostics.Growth;

namespace Plimsoll.Cli.Diagnose;

/// <summary><c>plimsoll.diagnosis/1</c> of memory over time.</summary>
internal static class GrowthJson
{
    public static void Write(TextWriter output, GrowthDiagnosis diagnosis) => JsonOutput.Write(output, DiagnoseJson.Schema, json =>
    {
        json.WriteString("kind", "growth");
        json.WriteString("verdict", Name(diagnosis.Shape));
        json.WriteNumberOrNull("seconds_to_ceiling", diagnosis.SecondsToCeiling);
        DiagnoseJson.WriteFindings(json, diagnosis.Findings);
        json.WriteArray("series", diagnosis.Verdicts, verdict => WriteVerdict(json, verdict));
    });

    public static void WriteVerdict(Utf8JsonWriter json, GrowthVerdict verdict)
    {
        var series = verdict.Series;
        json.WriteStartObject();
        json.WriteString("name", series.Name);
        json.WriteString("source", series.Source);
        json.WriteString("ledger", series.Ledger.ToString().ToLowerInvariant());
        json.WriteString("axis", series.Axis.ToString().ToLowerInvariant());
        json.WriteNumber("samples", series.Bytes.Length);
        json.WriteNumber("span", series.Span);
        json.WriteNumberOrNull("ceiling_bytes", series.CeilingBytes);
        json.WriteString("verdict", Name(verdict.Shape));
        json.WriteString("confidence", verdict.Certainty switch { Certainty.High => "high", Certainty.Medium => "medium", _ => "low" });
        json.WriteStrings("evidence", verdict.Evidence);
        json.WriteStrings("notes", series.Notes);
        if (verdict.Slope is { } slope)
        {
            json.WriteStartObject("slope");
            json.WriteNumber("expected_bytes", slope.Median);
            json.WriteNumber("low_bytes", slope.Low);
            json.WriteNumber("high_bytes", slope.High);
            json.WriteEndObject();
        }
        if (verdict.Steps is { } steps)
        {
            json.WriteStartObject("staircase");
            json.WriteNumber("step_bytes", steps.StepBytes);
            json.WriteNumber("interval", steps.Interval);
            json.WriteNumber("steps", steps.Count);
            json.WriteEndObject();
        }
        if (verdict.Forecast is { } forecast)
        {
            json.WriteStartObject("forecast");
            json.WriteNumberOrNull("expected", forecast.Expected);
            json.WriteNumberOrNull("low", forecast.Low);
            json.WriteNumberOrNull("high", forecast.High);
            json.WriteString("basis", forecast.Basis);
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }

    public static string Name(GrowthShape shape) => shape switch
    {
        GrowthShape.InsufficientData => "insufficient_data",
        _ => shape.ToString().ToLowerInvariant(),
    };
}

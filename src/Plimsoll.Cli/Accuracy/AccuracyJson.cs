using System.Text.Json;
using Plimsoll.Planning.Accuracy;

namespace Plimsoll.Cli.Accuracy;

/// <summary>Schema <c>plimsoll.accuracy/1</c>. Sizes are bytes; a speed has <c>measured</c> and <c>predicted</c> in tokens per second instead.</summary>
internal static class AccuracyJson
{
    public static void Write(TextWriter output, AccuracyReport report) => JsonOutput.Write(output, "plimsoll.accuracy/1", json =>
    {
        json.WritePropertyName("all");
        WriteGroup(json, report.All);
        json.WriteArray("groups", report.Groups, group => WriteGroup(json, group));
        json.WriteArray("kinds", report.Kinds, group => WriteGroup(json, group));
        json.WriteArray("quantities", report.Quantities, group => WriteGroup(json, group));
        json.WriteArray("cases", report.Results, result => WriteCase(json, result));
    });

    private static void WriteGroup(Utf8JsonWriter json, AccuracyGroup group)
    {
        json.WriteStartObject();
        json.WriteString("group", group.Group);
        json.WriteNumber("cases", group.Cases);
        json.WriteNumber("predicted", group.Predicted);
        json.WriteNumber("refused", group.Refused);
        json.WriteNumber("figures", group.Figures);
        json.WriteNumber("figures_predicted", group.FiguresPredicted);
        json.WriteNumberOrNull("median_abs_error", group.MedianAbsoluteError);
        json.WriteNumberOrNull("p90_abs_error", group.P90AbsoluteError);
        json.WriteNumberOrNull("within_10_percent", group.WithinTenPercent);
        json.WriteNumberOrNull("within_bounds", group.WithinBounds);
        json.WriteEndObject();
    }

    private static void WriteCase(Utf8JsonWriter json, CaseResult result)
    {
        json.WriteStartObject();
        json.WriteString("id", result.Id);
        json.WriteString("quantity", result.Quantity);
        var unit = result.IsSize ? "_bytes" : "";
        if (result.Measured is not null)
            json.WriteNumberOrNull($"measured{unit}", result.Measured);
        if (result.RefusedBecause is { } reason)
        {
            json.WriteString("refused_because", reason);
        }
        else
        {
            json.WriteNumberOrNull($"predicted{unit}", result.Predicted);
            json.WriteNumberOrNull($"low{unit}", result.Low);
            json.WriteNumberOrNull($"high{unit}", result.High);
            json.WriteNumberOrNull("error", result.Error);
        }
        json.WriteEndObject();
    }
}

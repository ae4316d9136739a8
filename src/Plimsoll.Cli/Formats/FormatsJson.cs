using System.Text.Json;
using Plimsoll.Numerics;
using Plimsoll.Numerics.Explanations;

namespace Plimsoll.Cli.Formats;

/// <summary>The number formats, and one explanation, for a program. Numbers that JSON cannot hold are null beside their text.</summary>
internal static class FormatsJson
{
    public static void Write(TextWriter output, IReadOnlyList<NumberFormat> formats) => JsonOutput.Write(output, "plimsoll.formats/1", json =>
    {
        json.WriteStartArray("formats");
        foreach (var format in formats)
            WriteFormat(json, format);
        json.WriteEndArray();
        json.WriteString("published_quality_source", PublishedQuality.Source);
    });

    public static void Write(TextWriter output, NumberExplanation explanation) => JsonOutput.Write(output, "plimsoll.formats_explain/1", json =>
    {
        json.WriteString("format", explanation.Format.Name);
        json.WriteNumber("value", explanation.Value);
        json.WriteStartArray("steps");
        foreach (var step in explanation.Steps)
        {
            json.WriteStartObject();
            json.WriteString("name", step.Name);
            json.WriteString("formula", step.Formula);
            json.WriteString("text", step.Text);
            json.WriteNumberOrNull("value", step.Value);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteString("code", explanation.Code);
        json.WriteNumberOrNull("dequantized", explanation.Result);
        json.WriteString("dequantized_text", NumberExplanation.Text(explanation.Result));
        json.WriteNumberOrNull("absolute_error", explanation.AbsoluteError);
        json.WriteNumberOrNull("relative_error", explanation.RelativeError);
        json.WriteBoolean("overflow", explanation.Overflow);
        json.WriteBoolean("clamped", explanation.Clamped);
        json.WriteString("verdict", explanation.Verdict);
    });

    private static void WriteFormat(Utf8JsonWriter json, NumberFormat format)
    {
        json.WriteStartObject();
        json.WriteString("name", format.Name);
        json.WriteString("kind", format.Kind switch { NumberFormatKind.Float => "float", NumberFormatKind.Integer => "integer", _ => "block" });
        json.WriteStrings("aliases", format.Aliases);
        json.WriteNumber("bits_per_weight", format.BitsPerWeight);
        json.WriteNumber("block_length", format.BlockLength);
        json.WriteNumber("block_bytes", format.BlockBytes);
        json.WriteNumberOrNull("exponent_bits", format.ExponentBits);
        json.WriteNumberOrNull("mantissa_bits", format.MantissaBits);
        json.WriteString("range", FormatsTable.Range(format));
        json.WriteNumberOrNull("max_value", format.MaxValue);
        json.WriteNumberOrNull("min_normal", format.MinNormal);
        json.WriteNumberOrNull("min_subnormal", format.MinSubnormal);
        json.WriteNumberOrNull("ggml_type", format.GgmlType);
        json.WriteString("safetensors_type", format.SafetensorsType);
        json.WriteStrings("engines", format.Engines);
        json.WriteString("summary", format.Summary);
        json.WriteStartArray("published_quality");
        foreach (var row in PublishedQuality.Of(format))
        {
            json.WriteStartObject();
            json.WriteString("file_type", row.FileType);
            json.WriteBoolean("importance_matrix", row.ImportanceMatrix);
            json.WriteNumber("perplexity", row.Perplexity);
            json.WriteNumber("kl_divergence", row.KlDivergence);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
